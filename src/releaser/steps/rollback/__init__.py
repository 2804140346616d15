"""Take a release back: the steps of `plan.rollback_plan`."""
