"""live-vlm-webui: a web page that streams a live camera to a vision language model and shows its answers."""

__version__ = "0.1.0"
