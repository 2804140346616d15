"""The container engine: build with buildx, inspect and run with the SDK."""
