"""releaser: takes a version from a clean checkout to the package index, the forge and the registry, and proves it arrived."""
