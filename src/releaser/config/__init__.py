"""[tool.releaser], read once into frozen models."""
