"""Stand-ins served on loopback, and the stage that points a plan at them."""
