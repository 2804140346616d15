"""Sessions: a camera, its settings, the worker that asks the model, and the connected browsers."""
