"""The machine: its name, and what its GPUs, processor and memory do."""
