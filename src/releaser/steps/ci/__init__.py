"""What a workflow carries out: start it, follow it, take what it published."""
