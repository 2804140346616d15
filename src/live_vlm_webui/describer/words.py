"""Write the sentences of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from live_vlm_webui.describer.grammar import listed, number, plural, sentence
from live_vlm_webui.describer.questions import Kind

if TYPE_CHECKING:
    from live_vlm_webui.describer.belief import Seen
    from live_vlm_webui.describer.change import Change
    from live_vlm_webui.describer.questions import Request
    from live_vlm_webui.describer.reading import Reading
    from live_vlm_webui.describer.scene import Scene
    from live_vlm_webui.describer.vocabulary import Thing

NOTE = (
    "I am the small built-in describer, not a vision language model: I cannot answer open questions."
    " For those, start a model server, such as Ollama (`ollama run gemma3`), and choose its model here."
)
PARTLY = "The rest of this question needs a vision language model; I am the small built-in describer."
MAY_MISS = "I recognise few kinds of objects and may miss some"
DANGERS = ("car", "truck", "bus", "train", "motorcycle", "knife", "scissors", "bear", "oven")
MOST_PLACES = 4
SECTORS = ("left", "centre", "right")
IN_SECTOR = 0.08
"""The share of the picture's width that an object must cover in a third of it to count as being there."""
WHITE_SHARE = 0.35
SIDES = {"left": "on the left", "centre": "in the middle", "right": "on the right"}


def answer(
    request: Request, scene: Scene, change: Change | None, reading: Reading | None, *, frames: int = 1
) -> list[str]:
    """Return the sentences of an answer, which may be cut off after any of them.

    Args:
        request: The classified prompt.
        scene: The newest picture.
        change: The change since the last answer or, with several frames, among them; None without an earlier picture.
        reading: The text in the picture; None if not requested.
        frames: The number of pictures in the question.
    """
    by_kind = {Kind.OBJECTS: objects, Kind.PEOPLE: people, Kind.NAVIGATION: navigation}
    differs = changes(change, frames) if frames > 1 or change else []
    if request.kind is Kind.CHANGE:
        said = changes(change, frames) or ["I have no earlier picture to compare this one with."]
        said += contents(scene)
        differs = []
    elif request.kind is Kind.PRESENCE and request.thing:
        said = presence(scene, request.thing)
    elif request.kind is Kind.TEXT and reading:
        said = reading.sentences()
        differs = []
    elif request.kind in by_kind:
        said = by_kind[request.kind](scene)
    elif request.brief:
        said = [sentence("; ".join(clauses(scene)))] + ([] if differs else look_of(scene))
    else:
        said = contents(scene) + look_of(scene)
    if request.free:
        return [NOTE, *said, *differs] if request.kind is Kind.SCENE else [*said, *differs, PARTLY]
    return said + differs


def contents(scene: Scene) -> list[str]:
    """Return sentences about the contents of the picture."""
    return [sentence(clause) for clause in clauses(scene)]


def clauses(scene: Scene) -> list[str]:
    """Return clauses about the contents of the picture, without capitals and full stops."""
    seen = [_counted(thing, places, more=scene.perhaps_more(thing)) for thing, places in scene.things().items()]
    said = [f"I see {listed(seen)}"] if seen else []
    if scene.dark_subject:
        one = scene.seen[0]
        where = f" {place(one)}" if len(scene.things()[one.thing]) > 1 else ""
        said.append(f"{_the(one)}{where} is dark against a bright background")
    return said + tags(scene) or [nothing(scene)]


def tags(scene: Scene) -> list[str]:
    """Return clauses about the tags."""
    sure = [f"{tag.phrase} (perhaps {tag.thing.phrase})" if tag.thing.phrase != tag.phrase else tag.phrase
             for tag in scene.tags if tag.sure]  # fmt: skip
    also = "also shows" if scene.seen else "shows"
    if sure:
        return [f"the picture {also} {listed(sure)}"]
    return [f"perhaps the picture {also} {tag.phrase}; I am not sure" for tag in scene.tags[:1]]


def nothing(scene: Scene) -> str:
    """Return a clause that nothing was recognised, and why if the picture shows it."""
    if scene.light.plain:
        return f"there is almost nothing to see: {_surface(scene)}, as with a covered lens or a bare surface"
    return "I recognise nothing in this picture"


def look_of(scene: Scene) -> list[str]:
    """Return a sentence about light and colours."""
    if scene.light.plain:
        return []
    words: list[str] = []
    if scene.light.brightness != "normal":
        words.append(scene.light.brightness)
    if scene.light.overexposed >= WHITE_SHARE:
        words.append("pure white in large parts")
    if scene.light.soft:
        words.append("without sharp detail (blurred, or showing something smooth)")
    names = [colour.name for colour in scene.colours]
    if names == ["shades of grey"]:
        words.append("in shades of grey")
    elif names:
        words.append(f"mainly {listed(names)}")
    return [sentence(f"the picture is {listed(words)}")] if words else []


def objects(scene: Scene) -> list[str]:
    """Return the list of objects with their places, one per line."""
    lines = [f"- {_counted(thing, places, more=scene.perhaps_more(thing))}" for thing, places in scene.things().items()]
    lines += [f"- {'' if tag.sure else 'perhaps '}{tag.phrase}, somewhere in the picture" for tag in scene.tags]
    if not lines:
        return [sentence(nothing(scene)), *look_of(scene)]
    return ["\n".join(lines) + "\n", sentence(MAY_MISS + ", so there may be more")]


def people(scene: Scene) -> list[str]:
    """Return sentences about people and the few dangerous objects that are recognised."""
    groups = scene.things()
    said = []
    persons = [(thing, places) for thing, places in groups.items() if thing.name == "person"]
    if persons:
        thing, places = persons[0]
        said.append(sentence(f"I see {_counted(thing, places, more=scene.perhaps_more(thing))}"))
    else:
        said.append("I see no person, but I may have missed someone.")
    dangers = [
        _counted(thing, places, more=scene.perhaps_more(thing))
        for thing, places in groups.items()
        if thing.name in DANGERS
    ]
    if dangers:
        said.append(sentence(f"possibly dangerous: {listed(dangers)}"))
    said.append(
        "This is not a safety assessment: I recognise vehicles, knives, scissors, ovens and bears,"
        " but not fire, smoke, falls or machines."
    )
    return said


def navigation(scene: Scene) -> list[str]:
    """Return sentences about objects on each side, never that a way is free."""
    said = []
    for at, name in enumerate(("left", "ahead", "right")):
        start, end = at / len(SECTORS), (at + 1) / len(SECTORS)
        here = [
            f"{one_of(one)} ({_nearness(one)})"
            for one in scene.seen
            if min(one.box.right, end) - max(one.box.left, start) > IN_SECTOR or start <= one.box.centre[0] < end
        ]
        said.append(f"{name}: {listed(here) if here else 'nothing that I recognise'}")
    return [
        sentence("; ".join(said)),
        *[sentence(tag) for tag in tags(scene)],
        "Distances are estimated from the size in the picture. I do not recognise walls, glass, steps or holes:"
        " a direction without a named object may still be blocked, and I recommend no move.",
    ]


def presence(scene: Scene, thing: Thing) -> list[str]:
    """Return sentences about the presence or number of ``thing``."""
    for seen, places in scene.things().items():
        if seen == thing:
            counted = _counted(seen, places, more=scene.perhaps_more(seen))
            return [sentence(f"I see {_with_number(seen, counted)}")]
    for tag in scene.tags:
        if tag.thing == thing:
            return [
                sentence(f"{'I see' if tag.sure and tag.phrase == thing.phrase else 'perhaps there is'} {thing.phrase}")
            ]
    rivals = [one for one in scene.seen if one.rival == thing]
    if rivals:
        return [sentence(f"I see {one_of(rivals[0])}")]
    return [f"I see no {thing.name}; I may have missed one.", *contents(scene)]


def changes(change: Change | None, frames: int) -> list[str]:
    """Return a sentence about changes since the last answer, or among the pictures of a question."""
    if change is None:
        return []
    since = f"From the first to the last of these {frames} pictures: " if frames > 1 else "Since my last answer: "
    said = ["the view has changed completely"] if change.another_view else []
    said += [f"{one_of(one)} has appeared {place(one)}" for one in change.appeared]
    said += [f"{one_of(one)} {place(one)} is no longer seen" for one in change.gone]
    said += [f"{_the(move.now)} {_motion(move.directions)}" for move in change.moved]
    if change.light:
        said.append(f"the picture has become {change.light}")
    if not said and change.stirred:
        everywhere = len(change.stirred) == len(SECTORS)
        said.append(
            f"something is different {'everywhere' if everywhere else listed([SIDES[one] for one in change.stirred])}"
        )
    return [sentence(since + ("; ".join(said) or "I see no change"))]


def one_of(one: Seen) -> str:
    """Return an object's name: ``a person``, ``what is probably a dog``, ``a horse or a dog (I am not sure which)``."""
    if one.rival:
        return f"{one.thing.phrase} or {one.rival.phrase} (I am not sure which)"
    return one.thing.phrase if one.sure else f"what is probably {one.thing.phrase}"


def place(one: Seen) -> str:
    """Return an object's place, from the viewer's position."""
    if one.extent == "filling" and one.across == "centre":
        return "filling most of the picture"
    if one.across == "centre":
        return {"top": "at the top", "middle": "in the middle", "bottom": "at the bottom"}[one.down]
    return f"on the {one.across}" if one.down == "middle" else f"at the {one.down} {one.across}"


def _counted(thing: Thing, places: Sequence[Seen], *, more: bool) -> str:
    if len(places) == 1 and not more:
        one = places[0]
        size = {"filling": " (very large)", "large": " (large)", "medium": "", "small": " (small)"}[one.extent]
        where = place(one)
        return f"{one_of(one)} {where}" + ("" if where.startswith("filling") else size)
    unsure = "" if all(one.sure for one in places) else f"what {'are' if len(places) > 1 else 'is'} probably "
    in_order = sorted(places, key=lambda one: one.box.centre)
    many = f"{'at least ' if more else ''}{number(len(places))} {plural(thing.name) if len(places) > 1 else thing.name}"
    if len(places) > MOST_PLACES:
        return f"{unsure}{many}"
    spots = [f"one {place(one)}" for one in in_order] if len(places) > 1 else [place(places[0])]
    return f"{unsure}{many}, {listed(spots)}"


def _with_number(thing: Thing, counted: str) -> str:
    return (
        f"one {thing.name}{counted.removeprefix(thing.phrase)}" if counted.startswith(thing.phrase + " ") else counted
    )


def _the(one: Seen) -> str:
    return one_of(one) if one.rival or not one.sure else f"the {one.thing.name}"


def _nearness(one: Seen) -> str:
    return {"filling": "very near", "large": "near", "medium": "at some distance", "small": "far away or small"}[
        one.extent
    ]


def _motion(directions: Sequence[str]) -> str:
    if directions[0] in {"nearer", "farther"}:
        return (
            "looks larger than before, so it may be nearer"
            if directions[0] == "nearer"
            else "looks smaller than before"
        )
    return "has moved " + listed([f"to the {one}" if one in {"left", "right"} else one for one in directions])


def _surface(scene: Scene) -> str:
    if scene.light.brightness in {"very dark", "dark"}:
        return "the whole picture is dark"
    names = [colour.name for colour in scene.colours][:1]
    return f"the whole picture has one tone ({names[0]})" if names else "the whole picture has one tone"
