"""The tiny project and `invoke` run on it, and stand-ins for a release in this process."""

from harness.fixtures import create_invoke, create_tiny, home, stand_ins, template, undisturbed

__all__ = ["create_invoke", "create_tiny", "home", "stand_ins", "template", "undisturbed"]
