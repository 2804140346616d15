"""Take a release back: a plan of its own, carried out by the same runner as a release."""
