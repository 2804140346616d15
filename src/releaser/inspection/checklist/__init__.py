"""The checklists of a release: each box ticked from evidence, or by a person with a note."""
