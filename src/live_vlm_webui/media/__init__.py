"""Cameras: the sources of frames, and the conversion of a frame to the picture for a model."""
