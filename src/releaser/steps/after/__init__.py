"""The release is wrapped up."""
