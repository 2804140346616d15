"""The built files and images pass every local check."""
