"""Steps, the runner and its observers; knows nothing of releases."""
