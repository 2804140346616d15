"""What must hold for a release, one fact a step, by phase."""
