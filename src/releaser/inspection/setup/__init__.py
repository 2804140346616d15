"""What must be set up once, outside the repository: read from the configuration and the workflow files."""
