"""What git knows of releases: the release commit, and which versions have a tag."""
