"""The built files: what is in them, and trying them as users install them."""
