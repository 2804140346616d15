"""The texts of the page: each in every language, each used, none outside their files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

import live_vlm_webui

STATIC = Path(live_vlm_webui.__file__).parent / "static"
HTML = (STATIC / "index.html").read_text("utf-8")
SCRIPTS = {path.relative_to(STATIC).as_posix(): path.read_text("utf-8") for path in sorted(STATIC.rglob("*.js"))}
WORDS = {path.stem: json.loads(path.read_text("utf-8"))["page"] for path in (STATIC / "words").glob("*.json")}
ENGLISH = WORDS["en"]
OTHERS = sorted(WORDS.keys() - {"en"})

PROPER_NAMES = {"live-vlm-webui", "JSONL", "CSV"}
"""Texts that are the same in every language."""


def test_there_is_a_second_language():
    assert OTHERS


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_all_texts_with_the_same_placeholders(language):
    assert WORDS[language].keys() == ENGLISH.keys()
    for key, text in ENGLISH.items():
        assert placeholders(WORDS[language][key]) == placeholders(text), key
        assert isinstance(WORDS[language][key], str) == isinstance(text, str), key


@pytest.mark.parametrize("language", sorted(WORDS))
def test_texts_are_in_order_and_have_the_forms_that_a_count_chooses(language):
    assert list(WORDS[language]) == sorted(WORDS[language])
    for key, text in WORDS[language].items():
        assert isinstance(text, str) or "other" in text, key
        assert all(form.strip() for form in forms(text)), key


def test_each_text_is_used_and_none_is_missing():
    named = set(re.findall(r'data-say(?:-[a-z-]+)?="([^"]+)"', HTML))
    scripts = "\n".join(SCRIPTS.values())
    named |= {name for name in re.findall(r'"([a-z][\w.-]*)"', scripts) if name in ENGLISH}
    asked = re.findall(r'\b(?:say|fault)\(\s*"([^"]+)"|\btell\([^;]*?, "([^"]+)"', scripts)
    missing = {name for pair in asked for name in pair if name} | named
    assert missing <= ENGLISH.keys(), missing - ENGLISH.keys()
    faults = re.findall(r'\bfault\("([^"]+)"', scripts)
    named |= {f"{name}.remedy" for name in faults}
    # Of some, a part of the name is a value: `camera.state.${state}`
    patterns = [
        re.sub(r"\\\$\\\{.*?\\\}", r"[\\w-]+", re.escape(name))
        for name in re.findall(r"`([a-z.-]+\.\$\{.*?)`", scripts)
    ]
    named |= {key for key in ENGLISH for pattern in patterns if re.fullmatch(pattern, key)}
    named |= {"language.name"}  # the server's choice of languages has it
    assert not ENGLISH.keys() - named


def test_the_document_has_no_text_of_its_own():
    found = _Texts()
    found.feed(HTML)
    assert found.texts <= PROPER_NAMES, found.texts - PROPER_NAMES


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_a_script_has_no_text_of_its_own(name):
    assert not list(words_in(SCRIPTS[name]))


def placeholders(text: str | dict[str, str]) -> set[str]:
    return {found for form in forms(text) for found in re.findall(r"\{(\w+)\}", form)}


def forms(text: str | dict[str, str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text.values())


def words_in(script: str) -> Iterator[str]:
    """The strings that people would read: with a capital and small letters, or with several words."""
    code = re.sub(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", "", script, flags=re.DOTALL)
    for line in code.splitlines():
        if "new Error(" in line:  # for the console
            continue
        for _, double, template in re.findall(r"(?<!\\)(?:('[^'\n]*')|\"([^\"\n]*)\"|`([^`\n]*)`)", line):
            text = re.sub(r"\$\{[^}]*\}", "", double or template)
            if text not in KNOWN and READABLE.search(text):
                yield text


READABLE = re.compile(r"[A-Za-z][a-z]+ [a-z]+ [a-z]+|^[A-Z][a-z]+( [a-z]+)*[.:]?$")
KNOWN = {
    "Enter",
    "Escape",
    "Files",
    "Content-Type",
    "Accept",
    "P",
    "Error",
    "Ollama",
    "ollama pull qwen2.5vl:3b",
    "noopener noreferrer nofollow",
}
"""Names of browsers' interfaces and of products, and commands."""


class _Texts(HTMLParser):
    """Texts and readable attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: set[str] = set()

    def handle_data(self, data: str) -> None:
        if re.search(r"[A-Za-z]{2}", data):
            self.texts.add(data.strip())

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts |= {value for name, value in attrs if name in {"alt", "title", "aria-label", "label"} and value}
