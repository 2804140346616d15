"""Sessions: a camera and its settings, the worker that asks the model, and the browsers that watch."""
