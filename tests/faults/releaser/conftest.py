"""The tiny project and `invoke` run on it, and stand-ins for a release in this process."""

from harness.fixtures import create_invoke, create_tiny, home, invoke, read_git, stand_ins, template, undisturbed
from harness.this_project import this_project

__all__ = [
    "create_invoke",
    "create_tiny",
    "home",
    "invoke",
    "read_git",
    "stand_ins",
    "template",
    "this_project",
    "undisturbed",
]
