"""The server's sentences: its English is the name of each, and every language has them all."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import live_vlm_webui

PACKAGE = Path(live_vlm_webui.__file__).parent
STATIC = PACKAGE / "static"
FILES = {path.stem: json.loads(path.read_text("utf-8")) for path in (STATIC / "words").glob("*.json")}
SENTENCES = {language: {**file.get("early", {}), **file.get("server", {})} for language, file in FILES.items()}
OTHERS = sorted(FILES.keys() - {"en"})
MESSAGE_AT = {
    "InputError": 0, "MediaTypeError": 0, "LoginError": 0, "ForbiddenError": 0, "NotFoundError": 0, "ConflictError": 0,
    "LimitError": 0, "TooLargeError": 0, "CameraError": 1, "ModelError": 1, "bad_answer": 1, "FaultError": 0,
    "Absent": 0,
}  # fmt: skip
"""The exceptions whose texts browsers get, with the place of the message in their arguments."""
NOT_FOR_PEOPLE = {
    "config/settings.py": "the command line",
    "http/body.py": "JSON that the page never sends",
    "media/webrtc/sdp.py": "offers that no browser sends",
    "media/webrtc/offer.py": "offers that no browser sends",
    "api/offer.py": "JSON that the page never sends",
    "api/answers.py": "addresses that the page never uses",
    "api/login.py": "JSON that the page never sends",
    "api/system.py": "JSON that the page never sends",
    "sessions/faults.py": "values of types that the page never sends",
}

NEVER_MET = {
    "/ws accepts only WebSocket connections",
    "Connect with a WebSocket client, or use `GET /api/sessions/ID`.",
    "Send a message of type 'settings', or a JPEG.",
    "Unknown message type §",
    "The message is too large",
    "turn is § instead of a page and a number",
    "Send a turn such as `page.1`.",
    "refresh is neither true nor false",
    "Send refresh=true, or leave it out.",
    "§ accepts only pictures",
    "Send the picture as the body, with its type in the header, such as `Content-Type: image/jpeg`.",
    "The URL contains a key, token or code; URLs end up in logs and histories, so consider it leaked",
    "Send tokens in the header `Authorization: Bearer TOKEN`, keys and codes in the body.",
    "§: it is not a string",
    "§: mode § is not one of §",
    "§: § is not allowed in mode §, only §",
    '§: § is not an object such as {"mode": "free"}',
}
"""Answers to what the page never sends."""
COMPOSED = {
    "Choose a model that it lists§.": {"", ", or install it: `ollama pull llava`"},
    "The model server at § § (HTTP §)§": {"is not ready yet", "cannot be reached behind its proxy"},
    "§ at § § § s": {
        "did not start to answer within",
        "stopped in the middle of its answer for",
        "did not finish its answer within",
    },
}
"""Texts of which a part is one of a few, which the sentences contain."""

JOINED = [
    "prompt: it is empty; model: it is empty",
    "prompt: it has 20000 characters; the limit is 16384; every: 0 is not a whole number from 1 to 9; and 3 more",
]
"""What the server says when several settings are wrong."""


def test_there_are_texts_to_find():
    assert len(set(said())) > 150


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_each_sentence_that_people_meet(language):
    patterns = [re.compile(pattern(name), re.DOTALL) for name in SENTENCES[language]]
    texts_met = {text for text in said() if text not in NEVER_MET and text not in COMPOSED}
    texts_met |= {
        text.replace("lists§", f"lists{part}").replace("§ § (", f"§ {part} (").replace("§ § § s", f"§ {part} § s")
        for text, parts in COMPOSED.items()
        for part in parts
    }
    missing = {text for text in texts_met if not any(one.fullmatch(text) for one in patterns)}
    assert not missing
    assert not {text for text in NEVER_MET | COMPOSED.keys() if text not in set(said())}


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_placeholders_of_its_sentence(language):
    for english, text in SENTENCES[language].items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", english)), english


@pytest.mark.parametrize("language", OTHERS)
def test_each_sentence_is_recognised_with_what_stands_in_it(language):
    if not (node := shutil.which("node")):
        pytest.skip("node, which runs the page's script, is missing")
    sentences = SENTENCES[language]
    filled = {fill(english): fill(text) for english, text in sentences.items()}
    asked = [*filled, *JOINED, "Cannot connect to http://x/v1: Connection refused", "A. B", "Something else entirely"]
    script = f"""
      globalThis.document = {{
        documentElement: {{ lang: {json.dumps(language)} }},
        getElementById: () => ({{ textContent: '{{"page": {{}}}}' }}),
      }};
      globalThis.fetch = async () => ({{ ok: true, json: async () => ({json.dumps(FILES[language])}) }});
      const words = await import({json.dumps((STATIC / "common" / "words.js").as_uri())});
      await new Promise((known) => {{ words.listen(known); words.translated("Not known yet"); }});
      console.log(JSON.stringify({json.dumps(asked)}.map(words.translated)));
    """
    found = subprocess.run(
        [node, "--input-type=module", "--experimental-default-type=module", "-e", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert found.returncode == 0, found.stderr
    translations = json.loads(found.stdout)
    wrong = {text: got for text, got in zip(asked, translations, strict=True) if text in filled and got != filled[text]}
    assert not wrong
    cannot = fill(sentences["Cannot connect to {where}: {why}"])
    assert translations[-3] == cannot.replace("§where§", "http://x/v1").replace(
        "§why§", sentences["Connection refused"]
    )
    assert translations[-2:] == ["A. B", "Something else entirely"]
    joined = translations[len(filled) : -3]
    assert len(joined) == len(JOINED)
    for got in joined:
        assert not re.search(r"\b(is|it|the|has|empty|characters|and|more)\b", got), got


def fill(text: str) -> str:
    return re.sub(r"\{(\w+)\}", r"§\1§", text)


def pattern(name: str) -> str:
    return ".*?".join(re.escape(piece) for piece in re.split(r"\{\w+\}", name))


def said() -> Iterator[str]:
    """The messages and remedies in the code, with § for what is computed."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name in NOT_FOR_PEOPLE:
            continue
        tree = ast.parse(path.read_text("utf-8"))
        constants = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MESSAGE_AT):
                continue
            kind, place = node.func.id, MESSAGE_AT[node.func.id]
            for argument in node.args[place : place + (1 if kind in {"bad_answer", "FaultError", "Absent"} else 2)]:
                for text in texts(argument, constants):
                    if re.search("[A-Za-z]{2}", text.replace("§", "")):
                        yield {"bad_answer": f"§ {text}", "FaultError": f"§: {text}"}.get(kind, text)


def texts(node: ast.expr, constants: dict[str, ast.expr]) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        pieces = (piece.value if isinstance(piece, ast.Constant) else "§" for piece in node.values)
        yield "".join(str(piece) for piece in pieces)
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body, constants)
        yield from texts(node.orelse, constants)
    elif isinstance(node, ast.Name) and node.id in constants:
        yield from texts(constants[node.id], constants)
