"""Cameras: where frames come from, and how one becomes the picture that a model sees."""
