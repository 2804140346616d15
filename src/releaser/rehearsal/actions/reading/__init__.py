"""Reading workflows: YAML, expressions, the constructs that are known, and what starts a workflow."""
