"""The describer's words: what it says for the networks' classes, read from ``data/things.txt``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

SEPARATOR = "|"


@dataclass(frozen=True)
class Thing:
    """Something that the describer can name.

    Attributes:
        name: As it is said, without an article: ``cup of coffee``.
        article: ``a``, ``an``, or empty for what takes none (``bread``, ``skis``).
        kind: The next wider word, without an article; empty if there is none worth saying.
        detector_class: Its class in COCO's names; empty if the detector does not know it.
        tagger_classes: Its classes of the tagger, as numbers from 0; empty if the tagger does not know it.
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
        things: In the order of the file; of two with the same detector class the first is that class's.
        detector_classes: COCO's names in the order of the detector's outputs.
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
        """Each thing by its name."""
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
    """Read the words that come with the package."""
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
