"""Analyse a picture: objects with places, sizes and certainty, light and colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from live_vlm_webui.describer.belief import Seen, Tag, believed, best_tags
from live_vlm_webui.describer.photometry import Colour, Light, backlit, colours, light, luma
from live_vlm_webui.describer.pixels import scaled, square_crops, window

if TYPE_CHECKING:
    from live_vlm_webui.describer.boxes import Detection
    from live_vlm_webui.describer.networks import Networks
    from live_vlm_webui.describer.pixels import Floats, Image
    from live_vlm_webui.describer.vocabulary import Thing, Vocabulary

Certainty = Literal["sure", "partly", "unsure", "nothing"]

COUNTED = 0.45
"""Rejected boxes from this score on make a count a lower bound."""
THUMBNAIL = 16


@dataclass(frozen=True, eq=False)
class Scene:
    """The analysis of a picture.

    Attributes:
        seen: Objects with places, the most prominent first.
        tags: Other things that the picture shows, the likeliest first.
        light: Its light.
        colours: Its main colours.
        dark_subject: Whether the most prominent object is dark against a bright background.
        faint: All boxes, including rejected ones, so that an object that is harder to see does not count as gone.
        thumbnail: Its luma, [16, 16].
    """

    seen: tuple[Seen, ...]
    tags: tuple[Tag, ...]
    light: Light
    colours: tuple[Colour, ...]
    dark_subject: bool
    faint: tuple[Seen, ...]
    thumbnail: Floats

    @property
    def subject(self) -> Seen | None:
        """The most prominent object."""
        return self.seen[0] if self.seen else None

    @property
    def certainty(self) -> Certainty:
        """The certainty of all objects and tags together."""
        claims = [one.sure for one in self.seen] + [one.sure for one in self.tags]
        if not claims:
            return "nothing"
        return "sure" if all(claims) else "partly" if any(claims) else "unsure"

    def things(self) -> dict[Thing, tuple[Seen, ...]]:
        """Return the objects by thing, in order of prominence."""
        things: dict[Thing, list[Seen]] = {}
        for one in self.seen:
            things.setdefault(one.thing, []).append(one)
        return {thing: tuple(all_of_it) for thing, all_of_it in things.items()}

    def perhaps_more(self, thing: Thing) -> bool:
        """Return whether there may be more of ``thing`` than are seen."""
        places = [one.box for one in self.seen]
        return any(
            one.thing == thing and one.score >= COUNTED and all(one.box.overlap(box) <= 0.5 for box in places)
            for one in self.faint
        )


def look(networks: Networks, vocabulary: Vocabulary, image: Image) -> Scene:
    """Analyse a picture. Takes about 0.2 s; call it in a worker thread.

    Args:
        networks: The networks; loaded if necessary.
        vocabulary: The vocabulary.
        image: RGB, [height, width, 3].

    Raises:
        ModelError: The networks cannot be loaded.
    """
    values = luma(image)
    measured = light(values)
    detections: list[Detection] = []
    seen: tuple[Seen, ...] = ()
    tags: tuple[Tag, ...] = ()
    if not measured.plain:
        detections = networks.detect(image)
        believable = believed(
            detections, vocabulary, lambda box: networks.tag_carefully(window(image, box)), poor=measured.poor
        )
        seen = tuple(sorted(believable, key=prominence, reverse=True))
        tags = best_tags(square_crops(image), networks, vocabulary, seen, poor=measured.poor)
    return Scene(
        seen=seen,
        tags=tags,
        light=measured,
        colours=colours(image),
        dark_subject=bool(seen) and backlit(values, seen[0].box),
        faint=tuple(Seen(vocabulary.detected[one.number], False, one.score, one.box) for one in detections),
        thumbnail=luma(scaled(image, THUMBNAIL, THUMBNAIL)),
    )


def prominence(one: Seen) -> float:
    """Return how prominent an object is: by size, central position and score."""
    x, y = one.box.centre
    off_centre = ((x - 0.5) ** 2 + (y - 0.5) ** 2) ** 0.5
    return float(one.score * one.box.area**0.5 * (1 - 0.6 * off_centre))
