"""What the stand-in for GitHub does beyond its API: it runs workflows, and serves the repository to git."""
