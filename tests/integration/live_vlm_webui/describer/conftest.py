"""Real photographs, as they come with scikit-image and scikit-learn: no download."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import as_file, files
from typing import Any

import numpy as np
import pytest
import simplejpeg

from live_vlm_webui.describer.answering import Answering
from live_vlm_webui.media.picture import Picture
from live_vlm_webui.models.model import Question

LONG_SIDE = 640
"""As long as sessions send pictures."""
JPEG_QUALITY = 80
SCENE = "Describe the scene."
OBJECTS = 'Answer in JSON alone: {"objects": []}'
HOUSES = (("skimage", "data"), ("sklearn", "datasets", "images"))

Photograph = Callable[[str], np.ndarray]
Ask = Callable[..., str]


def scaled(image: np.ndarray, width: int, height: int) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS))


@pytest.fixture(scope="session")
def photograph() -> Photograph:
    """The pixels of a photograph by its file's name, as large as a session would send it."""
    from PIL import Image

    def photograph(name: str) -> np.ndarray:
        for package, *folders in HOUSES:
            entry = files(package).joinpath(*folders)
            if entry.joinpath(name).is_file():
                with as_file(entry.joinpath(name)) as path, Image.open(path) as image:
                    background = Image.new("RGBA", image.size, "white")
                    background.alpha_composite(image.convert("RGBA"))
                    background.thumbnail((LONG_SIDE, LONG_SIDE))
                    return np.asarray(background.convert("RGB"))
        raise FileNotFoundError(name)

    return photograph


@pytest.fixture(scope="session")
def answering() -> Answering:
    return Answering()


@pytest.fixture(scope="session")
def ask(answering: Answering) -> Ask:
    """The answer about pictures, which go through a JPEG as they do in a session."""

    def ask(*pictures: np.ndarray, prompt: str = SCENE, max_tokens: int = 400) -> str:
        question = Question(prompt, tuple(jpeg(one) for one in pictures), max_tokens)
        return answering.answer(question, None)[0]

    return ask


def jpeg(pixels: np.ndarray) -> Picture:
    body = simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), JPEG_QUALITY, colorspace="RGB", colorsubsampling="420")
    return Picture(body, pixels.shape[1], pixels.shape[0])


@pytest.fixture(scope="session")
def claims(ask: Ask) -> Callable[[np.ndarray], list[dict[str, Any]]]:
    """What a picture is said to hold: name, count, place, and whether that is sure."""
    import json

    def claims(pixels: np.ndarray) -> list[dict[str, Any]]:
        objects: list[dict[str, Any]] = json.loads(ask(pixels, prompt=OBJECTS))["objects"]
        return objects

    return claims


@pytest.fixture(scope="session")
def without_colours() -> Callable[[str], str]:
    """An answer without its sentence about the whole picture's light and colours."""

    def without_colours(text: str) -> str:
        return re.sub(r" ?The picture is [^.]*\.", "", text).strip()

    return without_colours


@pytest.fixture(scope="session")
def beside() -> Callable[..., np.ndarray]:
    """Photographs side by side, at one height."""

    def beside(*images: np.ndarray, height: int = 360) -> np.ndarray:
        return np.concatenate([scaled(one, one.shape[1] * height // one.shape[0], height) for one in images], axis=1)

    return beside
