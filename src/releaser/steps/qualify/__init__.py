"""The built files and images are good."""
