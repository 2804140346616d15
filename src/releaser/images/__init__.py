"""Container images: built, tried, tagged, and proved at the registry."""
