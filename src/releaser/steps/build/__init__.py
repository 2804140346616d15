"""Build: one sdist and one wheel, inspected, with their bill of materials."""
