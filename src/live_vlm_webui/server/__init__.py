"""The running server: its socket, its connections, its start and stop."""
