"""The outside world, one noun each; given addresses, secrets and limits, they know no configuration file."""
