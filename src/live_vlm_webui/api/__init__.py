"""What the server answers to: one module per group of routes."""
