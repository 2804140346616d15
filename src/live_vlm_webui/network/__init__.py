"""This machine's names and addresses, and the addresses of clients."""
