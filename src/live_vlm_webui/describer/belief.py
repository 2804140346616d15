"""Decide which of the networks' results to accept.

The thresholds were verified on photographs other than those used to choose them; the tests name both sets.

- A box is accepted from 0.65, with "probably" below 0.75 if the tagger does not confirm it. Between 0.45 and 0.65 it
  needs confirmation: a box of the same class with a higher score, or the tagger's result for that part of the picture.
- The tagger identifies animals better than the detector. If they differ by more than cat, dog and bird, both are named
  as possible.
- A tag is accepted from 0.5, and named with "perhaps" from 0.25. Four in ten of its classes are animals, so one animal
  class must stand out: for unknown objects the tagger returns many small likelihoods.
- In a picture without sharp detail or with few tones, only very high scores are accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from live_vlm_webui.describer.boxes import Box, Detection
    from live_vlm_webui.describer.networks import Networks
    from live_vlm_webui.describer.pixels import Floats, Image
    from live_vlm_webui.describer.vocabulary import Thing, Vocabulary

Across = Literal["left", "centre", "right"]
Down = Literal["top", "middle", "bottom"]
Extent = Literal["filling", "large", "medium", "small"]
Witness = Callable[["Box"], "Floats"]
"""Returns the tagger's likelihoods for a part of the picture, [1000]."""

SURE = 0.65
POSSIBLE = 0.45
CONFIDENT = 0.75
VERY_SURE = 0.8
TAG_SURE = 0.5
TAG_POSSIBLE = 0.25
WORTH_A_LOOK = 0.18
"""The likelihood from one look at which a tag is examined with three looks."""
STANDS_OUT = 0.7
"""The least share of the required likelihood that the likeliest class of an animal must have."""
KIND_SURE = 0.75
SAME_PLACE = 0.7
RIVALS = 0.1
NESTED = 0.85
MOST_WITNESSES = 4
MOST_TAGS = 2
LEFT, RIGHT = 0.4, 0.6
FILLING, LARGE, MEDIUM = 0.6, 0.2, 0.04
PERSON = "person"
ANIMAL = "animal"
SPECIES = ("cat", "dog", "bird")
WITHOUT_ARTICLE = ("food", "furniture", "clothing")


@dataclass(frozen=True)
class Seen:
    """An object at a place.

    Attributes:
        thing: The likeliest thing.
        sure: Whether it is named without "probably".
        score: The detector's score, 0 to 1.
        box: Its box.
        rival: Another possible thing.
    """

    thing: Thing
    sure: bool
    score: float
    box: Box
    rival: Thing | None = None

    @property
    def across(self) -> Across:
        """Left, centre or right, from the viewer's position."""
        x = self.box.centre[0]
        return "left" if x < LEFT else "right" if x > RIGHT else "centre"

    @property
    def down(self) -> Down:
        """Top, middle or bottom."""
        y = self.box.centre[1]
        return "top" if y < LEFT else "bottom" if y > RIGHT else "middle"

    @property
    def extent(self) -> Extent:
        """Its size in the picture."""
        area = self.box.area
        return "filling" if area >= FILLING else "large" if area >= LARGE else "medium" if area >= MEDIUM else "small"


@dataclass(frozen=True)
class Tag:
    """Something that the picture shows, without a place.

    Attributes:
        phrase: Its name with an article: a thing, or a kind of things if the thing is uncertain.
        likelihood: Its likelihood, 0 to 1.
        sure: Whether it is named without "perhaps".
        thing: The likeliest thing; for a kind, the likeliest thing of that kind.
    """

    phrase: str
    likelihood: float
    sure: bool
    thing: Thing


def believed(
    detections: Sequence[Detection], vocabulary: Vocabulary, witness: Witness, *, poor: bool = False
) -> list[Seen]:
    """Return the accepted objects, highest score first.

    Args:
        detections: All boxes, highest score first.
        vocabulary: The names of the classes.
        witness: Called for at most ``MOST_WITNESSES`` boxes.
        poor: Whether the picture has no sharp detail or few tones.
    """
    seen: list[Seen] = []
    asked = 0
    for one in detections:
        thing = vocabulary.detected[one.number]
        if one.score < POSSIBLE or _hidden(one, thing, seen):
            continue
        seconded = any(other.sure and other.thing == thing for other in seen)
        needs_witness = thing.kind == ANIMAL or one.score < (VERY_SURE if thing.name == PERSON else CONFIDENT)
        if not needs_witness:
            verdict: Seen | None = Seen(thing, True, one.score, one.box)
        elif asked < MOST_WITNESSES:
            asked += 1
            verdict = _judged(one, thing, vocabulary, witness(one.box), seconded=seconded)
        else:
            verdict = Seen(thing, False, one.score, one.box) if seconded else None
        if verdict and poor and one.score < VERY_SURE:
            verdict = replace(verdict, sure=False) if one.score >= SURE or verdict.rival else None
        if verdict:
            seen.append(verdict)
    return _with_rivals(seen, detections, vocabulary)


def best_tags(
    crops: Sequence[Image], networks: Networks, vocabulary: Vocabulary, seen: Sequence[Seen], *, poor: bool = False
) -> tuple[Tag, ...]:
    """Return what the picture shows in addition to the objects in ``seen``: sure tags, else the likeliest "perhaps".

    Args:
        crops: Crops of the picture.
        networks: The networks.
        vocabulary: The vocabulary.
        seen: The accepted objects, which with their kinds are excluded.
        poor: Whether the picture has no sharp detail or few tones.
    """
    known = {one.thing.kind or one.thing.name for one in seen} | {one.thing.detector_class for one in seen}
    things = [
        thing
        for thing in vocabulary.things
        if thing.tagger_classes and not {thing.kind or thing.name, thing.detector_class} & known
    ]
    first_looks = [networks.tag(crop) for crop in crops]
    promising = [max(likelihood(tags, thing, 0) for thing in things) for tags in first_looks]
    best = max(range(len(crops)), key=lambda crop: promising[crop])
    if promising[best] < WORTH_A_LOOK:
        return ()
    tags = networks.tag_carefully(crops[best], first_looks[best])
    needed = VERY_SURE if poor else TAG_SURE
    sure = sorted(((likelihood(tags, thing, needed), thing.phrase, thing) for thing in things), reverse=True)
    if sure[0][0] >= needed:
        return tuple(Tag(phrase, share, True, thing) for share, phrase, thing in sure[:MOST_TAGS] if share >= needed)
    if poor:
        return ()
    words = sorted(((likelihood(tags, thing, TAG_POSSIBLE), thing.phrase, thing) for thing in things), reverse=True)
    share, phrase, thing = words[0]
    if share < TAG_POSSIBLE:
        return ()
    of_kind = sum(likelihood(tags, other, 0) for other in vocabulary.kinds.get(thing.kind, ()))
    if of_kind >= KIND_SURE:
        return (Tag(_with_article(thing.kind), of_kind, True, thing),)
    return (Tag(phrase, share, False, thing),)


def likelihood(tags: Floats, thing: Thing, needed: float) -> float:
    """Return the likelihood of ``thing``; 0 if the tagger does not know it, or none of an animal's classes stands out.

    Args:
        tags: The tagger's likelihoods, [1000].
        thing: The thing.
        needed: The likelihood that is required.
    """
    if not thing.tagger_classes:
        return 0.0
    shares = tags[list(thing.tagger_classes)]
    if thing.kind == ANIMAL and float(shares.max()) < STANDS_OUT * needed:
        return 0.0
    return min(1.0, float(shares.sum()))


def _judged(one: Detection, thing: Thing, vocabulary: Vocabulary, tags: Floats, *, seconded: bool) -> Seen | None:
    share = sum(
        likelihood(tags, same, TAG_POSSIBLE)
        for same in vocabulary.things
        if same.detector_class == thing.detector_class
    )
    here = Seen(thing, share >= TAG_SURE or (one.score >= SURE and share >= TAG_POSSIBLE), one.score, one.box)
    animal_share, animal = max(
        ((likelihood(tags, animal, TAG_POSSIBLE), animal) for animal in vocabulary.kinds[ANIMAL]),
        key=lambda pair: pair[0],
    )
    if thing.kind == ANIMAL:
        if animal == thing or animal_share < TAG_SURE:
            return replace(here, sure=here.sure or one.score >= CONFIDENT) if here.sure or one.score >= SURE else None
        if thing.name in SPECIES and animal.name in SPECIES:
            return replace(here, thing=animal, sure=True)
        return replace(here, sure=False, rival=animal)
    if thing.name == PERSON:
        if animal_share >= VERY_SURE:
            return replace(here, sure=False, rival=animal) if one.score >= SURE else None
        return replace(here, sure=one.score >= SURE) if one.score >= SURE or seconded else None
    return here if here.sure or one.score >= SURE or seconded else None


def _hidden(one: Detection, thing: Thing, seen: Sequence[Seen]) -> bool:
    """Return whether a box duplicates an accepted object."""
    for other in seen:
        if other.box.overlap(one.box) >= SAME_PLACE:
            return True
        smaller = min(other.box.area, one.box.area)
        if other.thing == thing and smaller and other.box.shared(one.box) >= NESTED * smaller:
            return True
    return False


def _with_rivals(seen: list[Seen], detections: Sequence[Detection], vocabulary: Vocabulary) -> list[Seen]:
    """Add rivals: things of the same kind with nearly the same score and place, such as a truck for a car."""
    result = []
    for one in seen:
        rivals = [
            vocabulary.detected[other.number]
            for other in detections
            if other.box.overlap(one.box) >= SAME_PLACE and one.score - RIVALS <= other.score <= one.score
        ]
        rival = next((thing for thing in rivals if thing.kind == one.thing.kind != "" and thing != one.thing), None)
        result.append(replace(one, sure=False, rival=rival) if rival and one.rival is None and one.thing.kind != ANIMAL
                      else one)  # fmt: skip
    return result


def _with_article(kind: str) -> str:
    if kind in WITHOUT_ARTICLE:
        return kind
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
