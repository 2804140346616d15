"""Users get what was built."""
