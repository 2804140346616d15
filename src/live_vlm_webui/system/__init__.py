"""The system monitor: the machine, and the use of its GPUs, CPU and memory."""
