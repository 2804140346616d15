"""The tiny project and `invoke` run on it."""

from harness.fixtures import create_invoke, create_tiny, undisturbed

__all__ = ["create_invoke", "create_tiny", "undisturbed"]
