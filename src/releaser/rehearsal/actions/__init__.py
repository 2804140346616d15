"""A runner for the workflows of .github/workflows, as GitHub Actions carries them out."""
