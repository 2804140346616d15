"""releaser: takes a version from a clean checkout to the package index and the forge, and proves that it arrived."""
