"""live-vlm-webui: a web page that shows a live camera to a vision language model, and its answers."""

__version__ = "0.1.0"
