"""Classify prompts by simple rules: a few kinds that the describer can answer, and everything else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from live_vlm_webui.describer.grammar import plural

if TYPE_CHECKING:
    from live_vlm_webui.describer.vocabulary import Thing, Vocabulary

LONGEST = 4000
"""The number of characters of a prompt that are read."""


class Kind(Enum):
    """The kind of a prompt."""

    SCENE = "scene"
    OBJECTS = "objects"
    PEOPLE = "people and safety"
    TEXT = "text"
    NAVIGATION = "navigation"
    CHANGE = "change"
    PRESENCE = "presence"
    """Presence or number of one thing."""
    STRUCTURED = "json"


@dataclass(frozen=True)
class Request:
    """A classified prompt.

    Attributes:
        kind: The kind that is answered.
        free: Whether the prompt also asks for something that only a vision language model can answer.
        thing: With ``PRESENCE``, the thing that is asked for.
        brief: Whether a short answer is requested.
    """

    kind: Kind
    free: bool = False
    thing: Thing | None = None
    brief: bool = False


# The first match counts. A prompt without a match is an open question. German is that of the page's presets.
KINDS: tuple[tuple[Kind, str], ...] = (
    (Kind.STRUCTURED, r'\bjson\b|\{\s*"'),
    (Kind.NAVIGATION, r"\b(robots?|navigat\w*|obstacles?|steer\w*|(free|clear) (path|way)|path ahead|which way)\b"
                      r"|\b(roboters?)\b"),
    (Kind.TEXT, r"\b(read|transcribe|ocr|text|written|writing|lettering|inscriptions?|(licen[cs]e|number) plates?)\b"),
    (Kind.PEOPLE, r"\b(safety|safe|unsafe|hazard\w*|danger\w*|emergency|people|persons?|(any|some)(one|body))\b"
                  r"|\b(personen)\b"),
    (Kind.CHANGE, r"\b(changed?|changes|changing|mov(e|es|ed|ing)|motion|differen(t|ce|ces)|happens in them)\b"
                  r"|\b(geschieht)\b"),
    (Kind.OBJECTS, r"\b(objects?|things|items|list (all|every|what|the)|inventory|count)\b|\bwhat is (in|on) th"
                   r"|\b(gegenstände)\b"),
    (Kind.SCENE, r"\b(describe|description|caption|summari[sz]e|what (do|can) you see|scene)\b"
                 r"|\bwhat is (there|here|visible|shown)\b|\b(picture|image|frame|view) shows?\b|\bwhat's (in|on) th"
                 r"|\b(beschreibe)\b"),
)  # fmt: skip
FREE = re.compile(
    r"(^|[.?!,:;] )(when|which|who|whose|whom)\b|\bwhy\b"
    r"|\bhow (does|do|did|is|are you|old|much|far|long|should|would|could|can|to|come)\b"
    r"|\bwhat (is|are) (he|she|they|it|the (man|woman|person|people|child|boy|girl))\b"
    r"|\bwhat (kind|type|sort|brand|breed|make|model|species|year|time|age|colou?r|does|do(es)? each|did|should|would"
    r"|will|could|happen\w*(?! in them))\b|\bdoes each\b|\b(his|her|its|their|the) names?\b"
    r"|\b(brands?|feel(s|ing|ings)|emotions?|moods?|expressions?|faces?|gender|ages?|wear(s|ing)?|hold(s|ing)|doing|feel"
    r"|activit(y|ies)|actions?|behaviou?rs?|gestures?|stor(y|ies)|poem|joke|haiku|imagine|explain|guess|predict|translate"
    r"|means|meaning|purpose|opinion|solve|calculate|recommend\w*|suggest\w*|think|fire|smoke|protective|on the ground"
    r"|feuer|empfiehlst|unusual|concerning|suspicious|weather|season)\b",
    re.IGNORECASE,
)
BRIEF = re.compile(
    r"\b(one|two|a single|1|2|one or two) (short )?(sentences?|lines?)\b|\b(brief|briefly|short|concise)\b"
    r"|\b(ein oder zwei|einem|kurzen) (satz|sätzen|zeilen)\b",
    re.IGNORECASE,
)
PRESENCE = (
    r"(?:is|are) there (?:a |an |any |some )?{name}",
    r"(?:do|can) you see (?:a |an |any |some )?{name}",
    r"how many {name}(?: are there| are| do you see| can you see)?",
    r"count (?:the |all )?{name}",
)
WHERE = r"(?: (?:here|now|visible|in|on|this|the|it|that|picture|image|photo|frame|view|scene|room))*\s*[?.!]*"


def understood(prompt: str, vocabulary: Vocabulary) -> Request:
    """Classify ``prompt``; if it asks for several kinds, the first in ``KINDS`` is answered."""
    text = " ".join(prompt[:LONGEST].split())
    thing = asked_for(text, vocabulary)
    if thing:
        return Request(Kind.PRESENCE, thing=thing)
    brief = bool(BRIEF.search(text))
    free = bool(FREE.search(text))
    for kind, pattern in KINDS:
        if re.search(pattern, text, re.IGNORECASE):
            return Request(kind, free=free and kind is not Kind.STRUCTURED, brief=brief)
    return Request(Kind.SCENE, free=True, brief=brief)


def asked_for(text: str, vocabulary: Vocabulary) -> Thing | None:
    """Return the thing whose presence or number the prompt asks for, as in ``How many cars are there?``."""
    for pattern in PRESENCE:
        match = re.fullmatch(pattern.format(name="(.{1,40}?)") + WHERE, text.strip(), re.IGNORECASE)
        if match:
            asked = match[1].lower()
            for thing in vocabulary.things:
                if asked in {thing.name, plural(thing.name)}:
                    return thing
    return None
