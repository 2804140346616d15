"""Looking without changing anything: at what is published, at the machine, at what is left to do."""
