"""HTTPS: the TLS context and the self-signed certificate."""
