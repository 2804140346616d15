"""The base of the images that tests build, and what building needs on this machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
HUB = "python:3.12-slim-bookworm"
SECONDS = 300


def building_here() -> dict[str, str]:
    """Variables of docker-bake.hcl: PYTHON_IMAGE, BUILD_NETWORK and CA_BUNDLE.

    TEST_PYTHON_IMAGE stands in for the hub's base, on an engine whose containers have no network but the host's.
    Skips the test where there is no engine with buildx, or no base image.
    """
    for words in (["docker", "info"], ["docker", "buildx", "version"]):
        said(words, "no container engine")
    stand_in = "TEST_PYTHON_IMAGE" in os.environ
    base = os.environ.get("PYTHON_IMAGE") or (said([".ci/base-image"], "no base image") if stand_in else HUB)
    said(["docker", "buildx", "imagetools", "inspect", base], "no base image")
    return {
        "PYTHON_IMAGE": base,
        "BUILD_NETWORK": os.environ.get("BUILD_NETWORK") or ("host" if stand_in else "default"),
        "CA_BUNDLE": os.environ.get("CA_BUNDLE") or os.environ.get("PIP_CERT", ""),
    }


def said(words: list[str], without: str) -> str:
    """What a program prints; if it fails, that is why the test is skipped."""
    try:
        done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, timeout=SECONDS, check=False)
    except FileNotFoundError:
        pytest.skip(f"{without}: there is no program `{words[0]}`")
    if done.returncode:
        pytest.skip(f"{without}: `{' '.join(words)}` says {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout.strip()
