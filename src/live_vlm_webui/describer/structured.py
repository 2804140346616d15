"""Answer as JSON: the keys in the prompt, with null for those that cannot be answered."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from live_vlm_webui.describer import words
from live_vlm_webui.describer.grammar import plural

if TYPE_CHECKING:
    from collections.abc import Callable

    from live_vlm_webui.describer.change import Change
    from live_vlm_webui.describer.reading import Reading
    from live_vlm_webui.describer.scene import Scene
    from live_vlm_webui.describer.vocabulary import Thing, Vocabulary

ANSWERED_BY = {"answered_by": "built-in describer"}
LONGEST = 4000
MOST_KEYS = 30
USUAL_KEYS = ("scene", "objects", "people", "light", "colours", "changes", "certainty")
SYNONYMS = {
    "scene": "scene",
    "description": "scene",
    "caption": "scene",
    "summary": "scene",
    "answer": "scene",
    "objects": "objects",
    "items": "objects",
    "things": "objects",
    "detections": "objects",
    "people": "people",
    "persons": "people",
    "people_count": "people",
    "person_count": "people",
    "num_people": "people",
    "number_of_people": "people",
    "light": "light",
    "lighting": "light",
    "brightness": "light",
    "colours": "colours",
    "colors": "colours",
    "dominant_colours": "colours",
    "dominant_colors": "colours",
    "main_colours": "colours",
    "main_colors": "colours",
    "changes": "changes",
    "changed": "changes",
    "change": "changes",
    "motion": "changes",
    "certainty": "certainty",
    "confidence": "certainty",
    "subject": "subject",
    "main_subject": "subject",
    "text": "text",
}
KEY = re.compile(r'[{}]|"([^"{}\n]{1,40})"\s*:\s*(.?)')


def structured(
    prompt: str,
    scene: Scene,
    change: Change | None,
    reading: Reading | None,
    vocabulary: Vocabulary,
    *,
    frames: int = 1,
    max_tokens: int | None = None,
) -> str:
    """Return a JSON object on one line; whole keys are dropped if it is too long.

    Args:
        prompt: The prompt, which may contain an example object.
        scene: The newest picture.
        change: The change since the last answer; None without an earlier picture.
        reading: The text in the picture; None if not requested.
        vocabulary: For keys that name a thing, such as ``car_count``.
        frames: The number of pictures in the question.
        max_tokens: The longest answer, in words.
    """
    wanted = keys(prompt) or dict.fromkeys(USUAL_KEYS, "")
    result: dict[str, object] = {
        key: _value(key, shape, scene, change, reading, vocabulary, frames) for key, shape in wanted.items()
    }
    result |= ANSWERED_BY
    text = _text(result)
    while max_tokens is not None and len(text.split()) > max_tokens and len(result) > 1:
        longest = max((key for key in result if key not in ANSWERED_BY), key=lambda key: len(_text({key: result[key]})))
        del result[longest]
        text = _text(result)
    return text


def keys(prompt: str) -> dict[str, str]:
    """Return the keys of the first object in ``prompt``, each with the first character of its value."""
    found: dict[str, str] = {}
    depth = 0
    for match in KEY.finditer(prompt[:LONGEST]):
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            depth -= 1
            if depth <= 0:
                break
        else:
            if depth == 1 and len(found) < MOST_KEYS:
                found.setdefault(match[1], match[2])
            # The value's own brace is part of the match.
            depth += {"{": 1, "}": -1}.get(match[2], 0)
    return found


def wants_text(prompt: str) -> bool:
    """Return whether the object in ``prompt`` has a key for text."""
    return any(SYNONYMS.get(_plain(key)) == "text" for key in keys(prompt))


def _value(
    key: str,
    shape: str,
    scene: Scene,
    change: Change | None,
    reading: Reading | None,
    vocabulary: Vocabulary,
    frames: int,
) -> object:
    plain = _plain(key)
    fill: dict[str, Callable[[], object]] = {
        "scene": lambda: " ".join(words.contents(scene) + words.look_of(scene)),
        "objects": lambda: _objects(scene),
        "people": lambda: _count(scene, vocabulary.by_name["person"]),
        "light": lambda: scene.light.brightness,
        "colours": lambda: [colour.name for colour in scene.colours],
        "changes": lambda: " ".join(words.changes(change, frames)) or None,
        "certainty": lambda: scene.certainty,
        "subject": lambda: words.one_of(scene.subject) if scene.subject else None,
        "text": lambda: None if reading is None or reading.lines is None else "\n".join(reading.lines),
    }
    meaning = SYNONYMS.get(plain)
    if meaning:
        return fill[meaning]()
    for thing in vocabulary.things:
        names = {thing.name.replace(" ", "_"), plural(thing.name).replace(" ", "_")}
        asked = {f"{name}{end}" for name in names for end in ("_count", "_present", "_visible", "")}
        if plain in asked | {f"num_{name}" for name in names} | {f"has_{name}" for name in names}:
            count = _count(scene, thing)
            return (
                count > 0
                if shape in {"t", "f"} or plain.endswith(("_present", "_visible")) or plain.startswith("has_")
                else count
            )
    return None


def _objects(scene: Scene) -> list[dict[str, object]]:
    objects: list[dict[str, object]] = []
    for thing, places in scene.things().items():
        in_order = sorted(places, key=lambda one: one.box.centre)
        rivals = sorted({one.rival.name for one in places if one.rival})
        objects.append(
            {
                "name": thing.name,
                "count": len(places),
                "place": ", ".join(words.place(one) for one in in_order) if len(places) <= words.MOST_PLACES else None,
                "sure": all(one.sure for one in places),
                **({"or": ", ".join(rivals)} if rivals else {}),
            }
        )
    for tag in scene.tags:
        name = tag.thing.name if tag.phrase == tag.thing.phrase else tag.phrase
        objects.append({"name": name, "count": None, "place": None, "sure": tag.sure})
    return objects


def _count(scene: Scene, thing: Thing) -> int:
    return max(
        sum(one.thing == thing for one in scene.seen), int(any(tag.thing == thing and tag.sure for tag in scene.tags))
    )


def _plain(key: str) -> str:
    return re.sub(r"[\s-]+", "_", key.strip().lower())


def _text(result: dict[str, object]) -> str:
    return json.dumps(result, ensure_ascii=False)
