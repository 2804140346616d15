"""The describer's vocabulary: names for the networks' classes, read from ``data/things.txt``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

SEPARATOR = "|"


@dataclass(frozen=True)
class Thing:
    """An object that the describer can name.

    Attributes:
        name: Its name without an article: ``cup of coffee``.
        article: ``a``, ``an``, or empty if it takes none (``bread``, ``skis``).
        kind: A broader term without an article; empty if there is none.
        detector_class: Its COCO class; empty if the detector does not know it.
        tagger_classes: Its tagger classes, as numbers from 0; empty if the tagger does not know it.
    """

    name: str
    article: str
    kind: str
    detector_class: str
    tagger_classes: tuple[int, ...]

    @property
    def phrase(self) -> str:
        """The name with its article."""
        return f"{self.article} {self.name}".strip()


class Vocabulary:
    """All things, by name and by the networks' classes.

    Args:
        things: The things in the order of the file; the first one of a detector class stands for the class.
        detector_classes: The COCO names in the order of the detector's outputs.
    """

    def __init__(self, things: tuple[Thing, ...], detector_classes: tuple[str, ...]) -> None:
        self.things = things
        first: dict[str, Thing] = {}
        for thing in things:
            first.setdefault(thing.detector_class, thing)
        self.detected = tuple(first[name] for name in detector_classes)
        """The thing of each of the detector's outputs."""

    @cached_property
    def by_name(self) -> dict[str, Thing]:
        """All things by name."""
        return {thing.name: thing for thing in self.things}

    @cached_property
    def kinds(self) -> dict[str, tuple[Thing, ...]]:
        """The things of each kind."""
        kinds: dict[str, list[Thing]] = {}
        for thing in self.things:
            if thing.kind:
                kinds.setdefault(thing.kind, []).append(thing)
        return {kind: tuple(members) for kind, members in kinds.items()}


def load_vocabulary() -> Vocabulary:
    """Return the vocabulary of the package."""
    data = files("live_vlm_webui.describer").joinpath("data")
    things = tuple(
        _thing(line)
        for line in data.joinpath("things.txt").read_text("utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    )
    return Vocabulary(things, tuple(data.joinpath("coco-labels.txt").read_text("utf-8").split("\n")[:-1]))


def _thing(line: str) -> Thing:
    phrase, kind, detector_class, numbers = (cell.strip() for cell in line.split(SEPARATOR))
    article, _, name = phrase.partition(" ")
    if article not in {"a", "an"}:
        article, name = "", phrase
    return Thing(name, article, kind, detector_class, tuple(_numbers(numbers)))


def _numbers(cell: str) -> list[int]:
    numbers: list[int] = []
    for part in cell.split():
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers
