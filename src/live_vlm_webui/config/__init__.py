"""Settings: flags, environment variables, defaults, and the data directory."""
