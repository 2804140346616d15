"""Things at places, and scenes made of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from live_vlm_webui.describer.belief import Seen, Tag
from live_vlm_webui.describer.boxes import Box
from live_vlm_webui.describer.photometry import Colour, Light
from live_vlm_webui.describer.scene import Scene
from live_vlm_webui.describer.vocabulary import Vocabulary, load_vocabulary

EVENLY_LIT = Light(mean=120, overexposed=0, plain=False, soft=False, few_tones=False)


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return load_vocabulary()


@pytest.fixture
def see(vocabulary: Vocabulary) -> Callable[..., Seen]:
    """A thing by its name, in a box of left, top, right and bottom."""

    def see(
        name: str,
        left: float = 0.4,
        top: float = 0.3,
        right: float = 0.6,
        bottom: float = 0.7,
        *,
        sure: bool = True,
        rival: str | None = None,
        score: float = 0.8,
    ) -> Seen:
        other = vocabulary.by_name[rival] if rival else None
        return Seen(vocabulary.by_name[name], sure, score, Box(left, top, right, bottom), other)

    return see


@pytest.fixture
def scene() -> Callable[..., Scene]:
    """A scene with things in it, and besides only what is given."""

    def scene(
        *seen: Seen,
        tags: tuple[Tag, ...] = (),
        light: Light = EVENLY_LIT,
        colours: tuple[Colour, ...] = (Colour("blue", 0.5),),
        dark_subject: bool = False,
        faint: tuple[Seen, ...] = (),
        picture: int | np.ndarray = 1,
    ) -> Scene:
        """``picture``: a thumbnail, or the number of one of any many unlike ones."""
        thumbnail = (
            np.random.default_rng(picture).uniform(0, 255, (16, 16)).astype(np.float32)
            if isinstance(picture, int)
            else picture
        )
        return Scene(seen, tags, light, colours, dark_subject, (*seen, *faint), thumbnail)

    return scene
