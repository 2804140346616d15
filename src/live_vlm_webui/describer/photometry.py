"""Measure light, sharpness and colours of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from live_vlm_webui.describer.boxes import Box
    from live_vlm_webui.describer.pixels import Floats, Image

Brightness = Literal["very dark", "dark", "rather dark", "normal", "bright", "very bright"]

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601)."""
LEVELS: tuple[tuple[float, Brightness], ...] = (
    (20, "very dark"),
    (50, "dark"),
    (80, "rather dark"),
    (190, "normal"),
    (225, "bright"),
    (256, "very bright"),
)
"""Upper limits of the mean luma, 0 to 255, for each word."""
WHITE = 250
PLAIN_DEVIATION = 7.0
"""Below this standard deviation of luma, a picture shows almost nothing."""
SOFT = 0.62
"""The limit of ``blur``: photographs had 0.11 to 0.57, and at least 0.61 when blurred by 3 pixels."""
BLUR_LENGTH = 9
TONES = 16
FEW_TONES = 0.8
"""Photographs had 0.18 to 0.67; a drawing, a chessboard and a night sky at least 0.86."""
BACKLIT_INSIDE = 60.0
BACKLIT_OUTSIDE = 130.0
GREY_CHROMA = 20
COLOUR_SHARE = 0.12
MOST_COLOURS = 3
COLOUR_STEP = 96
"""Colours are counted on about this many pixels per side."""


@dataclass(frozen=True)
class Light:
    """The light of a picture.

    Attributes:
        mean: Its mean luma, 0 to 255.
        overexposed: The fraction of white pixels.
        plain: Whether it shows almost nothing: one surface, or a covered lens.
        soft: Whether it has no sharp detail: blurred, or showing something smooth.
        few_tones: Whether nearly all of it has one of two tones, as in drawings, silhouettes and night skies.
    """

    mean: float
    overexposed: float
    plain: bool
    soft: bool
    few_tones: bool

    @property
    def poor(self) -> bool:
        """Whether to trust the networks less, which were trained on detailed photographs."""
        return self.soft or self.few_tones

    @property
    def brightness(self) -> Brightness:
        """Its brightness in words."""
        return next(word for limit, word in LEVELS if self.mean < limit)


@dataclass(frozen=True)
class Colour:
    """A colour and its share of the picture.

    Attributes:
        name: Its English name.
        share: Its share, 0 to 1.
    """

    name: str
    share: float


def luma(image: Image) -> Floats:
    """Return the luma of each pixel, 0 to 255, [height, width]."""
    values: Floats = image.astype(np.float32) @ np.array(LUMA, np.float32)
    return values


def light(values: Floats) -> Light:
    """Measure the light.

    Args:
        values: The result of ``luma``.
    """
    return Light(
        mean=float(values.mean()),
        overexposed=float((values >= WHITE).mean()),
        plain=float(values.std()) < PLAIN_DEVIATION,
        soft=blur(values) >= SOFT,
        few_tones=two_tones(values) >= FEW_TONES,
    )


def two_tones(values: Floats) -> float:
    """Return the share of the two most common of 16 tones, between the 1st and 99th percentiles."""
    low, high = np.percentile(values, [1, 99])
    if high - low < 1:
        return 1.0
    counts = np.histogram(np.clip(values, low, high), TONES)[0]
    return float(np.sort(counts)[-2:].sum()) / values.size


def blur(values: Floats) -> float:
    """Return the blur in the sharper direction, from 0 (sharp) to 1 (no detail): the less further blurring changes.

    F. Crete and others, "The blur effect: perception and estimation with a new no-reference perceptual blur metric",
    2007.
    """
    if min(values.shape) <= BLUR_LENGTH:
        return 0.0
    effects = []
    for one in (values, values.T):
        sums = np.cumsum(one, axis=0, dtype=np.float64)
        blurred = (sums[BLUR_LENGTH:] - sums[:-BLUR_LENGTH]) / BLUR_LENGTH
        start = BLUR_LENGTH // 2 + 1
        steps = np.abs(np.diff(one[start : start + len(blurred)], axis=0))
        lost = np.maximum(0, steps - np.abs(np.diff(blurred, axis=0)))
        total = float(steps.sum())
        effects.append(1 - float(lost.sum()) / total if total else 1.0)
    return min(effects)


def backlit(values: Floats, box: Box) -> bool:
    """Return whether ``box`` is dark and its surroundings are bright."""
    height, width = values.shape
    inside = np.zeros(values.shape, bool)
    inside[int(box.top * height) : int(box.bottom * height), int(box.left * width) : int(box.right * width)] = True
    if not inside.any() or inside.all():
        return False
    return float(np.median(values[inside])) < BACKLIT_INSIDE and float(np.median(values[~inside])) > BACKLIT_OUTSIDE


def colours(image: Image) -> tuple[Colour, ...]:
    """Return the main colours, largest share first; ``shades of grey`` if there is no other."""
    step = max(1, max(image.shape[:2]) // COLOUR_STEP)
    pixels = image[::step, ::step].reshape(-1, 3).astype(np.int32)
    high, low = pixels.max(axis=1), pixels.min(axis=1)
    chroma = high - low
    names = np.full(len(pixels), "grey", dtype="<U12")
    red, green, blue = pixels.T
    divisor = np.maximum(chroma, 1)
    hue = 60 * np.select(
        [high == red, high == green],
        [((green - blue) / divisor) % 6, (blue - red) / divisor + 2],
        (red - green) / divisor + 4,
    )
    for limit, name in (
        (360, "red"),
        (345, "pink"),
        (290, "purple"),
        (255, "blue"),
        (195, "blue-green"),
        (160, "green"),
        (68, "yellow"),
        (42, "orange"),
        (14, "red"),
    ):
        names[hue < limit] = name
    vivid = chroma / np.maximum(high, 1)
    warm = (hue >= 8) & (hue < 50)
    names[warm & (high < 165)] = "brown"
    names[warm & (high >= 165) & (vivid < 0.45)] = "beige"
    names[(names == "red") & (high >= 165) & (vivid < 0.5)] = "pink"
    grey = (chroma < GREY_CHROMA) | (vivid < 0.13)
    names[grey] = "grey"
    names[grey & (high >= 215)] = "white"
    names[(high < 50) | (grey & (high < 65))] = "black"
    if float(np.percentile(chroma, 95)) < GREY_CHROMA:
        return (Colour("shades of grey", 1.0),)
    found, counts = np.unique(names, return_counts=True)
    shares = sorted(zip((counts / len(names)).tolist(), found.tolist(), strict=True), reverse=True)
    return tuple(Colour(name, share) for share, name in shares if share >= COLOUR_SHARE)[:MOST_COLOURS]
