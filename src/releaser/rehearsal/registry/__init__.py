"""A real registry as a stand-in for the one that images go to."""
