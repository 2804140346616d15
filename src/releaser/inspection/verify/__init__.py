"""Look at a published version as any user could: on the index, the forge, the git remote and the registry."""
