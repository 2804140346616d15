"""Branch and tag at the remote."""
