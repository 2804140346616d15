"""An OCI registry, and the OCI layout on disk that is pushed to it."""
