"""What is seen in one picture, as values: what, how sure, where, how large, in which light."""

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
"""Boxes from here on that are not believed make a count a lower bound."""
THUMBNAIL = 16


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture, as far as it is understood.

    Attributes:
        seen: Things at places, the most prominent first.
        tags: What the picture shows beyond those, the likeliest first.
        light: Measured.
        colours: The main ones.
        dark_subject: Whether the most prominent thing is dark before a bright background.
        faint: All boxes, down to those that are not believed: so that a thing that is harder to see is not called gone.
        thumbnail: Luma, [16, 16].
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
        """The most prominent thing."""
        return self.seen[0] if self.seen else None

    @property
    def certainty(self) -> Certainty:
        """Of what is said to be there, taken together."""
        claims = [one.sure for one in self.seen] + [one.sure for one in self.tags]
        if not claims:
            return "nothing"
        return "sure" if all(claims) else "partly" if any(claims) else "unsure"

    def things(self) -> dict[Thing, tuple[Seen, ...]]:
        """What is seen, by thing, in the order of prominence."""
        things: dict[Thing, list[Seen]] = {}
        for one in self.seen:
            things.setdefault(one.thing, []).append(one)
        return {thing: tuple(all_of_it) for thing, all_of_it in things.items()}

    def perhaps_more(self, thing: Thing) -> bool:
        """Whether there may be more of it than are seen."""
        places = [one.box for one in self.seen]
        return any(
            one.thing == thing and one.score >= COUNTED and all(one.box.overlap(box) <= 0.5 for box in places)
            for one in self.faint
        )


def look(networks: Networks, vocabulary: Vocabulary, image: Image) -> Scene:
    """Look at a picture. Takes some 0.1 s; not for the event loop.

    Args:
        networks: Loaded by this if they are not yet.
        vocabulary: What can be said.
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
    """What makes a thing the main subject: size, being in the middle, being sure."""
    x, y = one.box.centre
    off_centre = ((x - 0.5) ** 2 + (y - 0.5) ** 2) ** 0.5
    return float(one.score * one.box.area**0.5 * (1 - 0.6 * off_centre))
