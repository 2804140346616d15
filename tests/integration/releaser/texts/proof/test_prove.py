"""`scripts/prove.py` finds and names whatever is changed in a record, its page or its files."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from harness.scene import Scene
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from releaser.texts.proof import document

PROVE = runpy.run_path(str(Path(__file__).parents[5] / "scripts" / "prove.py"))
prove: Callable[..., Any] = PROVE["prove"]
property_test = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass
class Proof:
    """A document, the directory with the files that it is about, and its last hash from elsewhere."""

    content: bytes
    directory: Path
    last: str

    @property
    def parsed(self) -> dict[str, Any]:
        """A copy to change."""
        parsed: dict[str, Any] = json.loads(self.content)
        return parsed

    def wrong(self, content: bytes | None = None, last: str | None = None) -> list[str]:
        """Return what the program says is wrong."""
        found: list[str] = prove(content or self.content, self.directory, last or self.last).wrong
        return found


@pytest.fixture
def proof(scene: Scene) -> Proof:
    release = scene.with_dists()
    with release.store.locked():
        for step in ("build_dists", "pass_unit", "try_wheel"):
            release.journal.write("finished", step=step, outcome="done", says=f"{step} <é>", seconds=1.5)
        written, _ = document.write(release, release.store.dist, lambda _: [])
    return Proof(written.read_bytes(), release.store.dist, document.last_hash(written))


def sealed(parsed: dict[str, Any]) -> bytes:
    """Return a document as a forger makes it, who knows how its digest is made."""
    parsed.pop("digest")
    parsed["digest"] = sha256(document.serialized(parsed)).hexdigest()
    return document.serialized(parsed)


@property_test
@given(data=st.data())
def test_each_changed_byte_of_a_report_is_found(proof: Proof, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(proof.content) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda one: one != proof.content[place]))
    changed = proof.content[:place] + bytes([value]) + proof.content[place + 1 :]
    assert not proof.wrong()
    assert proof.wrong(changed)[0].startswith(("the report was altered", "the report is not one"))


@property_test
@given(data=st.data())
def test_each_changed_character_of_the_chain_is_named_by_its_line(proof: Proof, data: st.DataObject) -> None:
    parsed = proof.parsed
    lines = parsed["journal"]["lines"]
    number = data.draw(st.integers(1, len(lines)))
    line = lines[number - 1]
    place = data.draw(st.integers(0, len(line) - 1))
    value = data.draw(st.characters(codec="utf-8").filter(lambda one: one != line[place]))
    lines[number - 1] = line[:place] + value + line[place + 1 :]
    named = next(one for one in proof.wrong(sealed(parsed)) if one.startswith("journal: "))
    assert any(f"line {near}" in named or f"line, {near}" in named for near in (number, number + 1)), named


def test_a_line_that_is_missing_is_named(proof: Proof) -> None:
    for gone in (0, 1, -1):
        parsed = proof.parsed
        del parsed["journal"]["lines"][gone]
        assert any(one.startswith("journal: ") and "line" in one for one in proof.wrong(sealed(parsed)))


@property_test
@given(data=st.data())
def test_each_changed_byte_of_a_file_or_the_page_is_named_by_the_file(proof: Proof, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(one for one in proof.directory.iterdir() if "report.json" not in one.name)))
    content = path.read_bytes()
    place, bit = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(0, 7))
    path.write_bytes(content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :])
    try:
        assert proof.wrong() == [f"{path.name}: its bytes are not those of the report"]
    finally:
        path.write_bytes(content)


def test_changed_claims_are_found_even_if_the_digest_is_made_again(proof: Proof) -> None:
    parsed = proof.parsed
    parsed["claims"]["platform"] = "another"
    assert any("claims are not those" in one for one in proof.wrong(sealed(parsed)))


def test_a_file_swapped_with_its_hash_in_report_and_sums_is_not_the_built_one(proof: Proof) -> None:
    parsed = proof.parsed
    wheel = next(one for one in parsed["claims"]["files"] if one["name"].endswith(".whl"))
    wheel["sha256"] = sha256(b"another wheel").hexdigest()
    (proof.directory / wheel["name"]).write_bytes(b"another wheel")
    wrong = proof.wrong(sealed(parsed))
    assert f"{wheel['name']}: the report's hash is not that of the file that was built" in wrong


def test_a_record_that_was_rewritten_as_a_whole_is_found_by_its_last_hash_alone(proof: Proof) -> None:
    parsed = proof.parsed
    parsed["claims"]["platform"] = "another"
    previous, lines = "0" * 64, []
    for line in parsed["journal"]["lines"]:
        entry = json.loads(line) | {"previous": previous}
        if entry["event"] == "reported":
            entry["claims"] = sha256(document.serialized(parsed["claims"])).hexdigest()
        lines.append(json.dumps(entry, ensure_ascii=False))
        previous = sha256(lines[-1].encode()).hexdigest()
    parsed["journal"] = {"lines": lines, "last": previous}
    forged = sealed(parsed)
    without = prove(forged, proof.directory)
    assert not without.wrong
    assert any(previous in one and "release's notes" in one for one in without.unchecked)
    assert proof.wrong(forged) == ["the last hash is not the one given"]


def test_what_is_no_report_and_what_has_another_form_is_wrong_and_no_traceback(proof: Proof) -> None:
    for content in (b"", b"[]", b"null", b'{"schema": 1}', b"[" * 100_000, b"\xff", b'{"schema":1,"digest":1e999}'):
        assert prove(content, proof.directory).wrong
    for part in ("claims", "journal", "page", "schema"):
        for value in (None, [], {}, 2, "x"):
            assert proof.wrong(sealed(proof.parsed | {part: value})), (part, value)


def test_no_file_outside_the_directory_is_read(proof: Proof) -> None:
    parsed = proof.parsed
    parsed["claims"]["files"][0]["name"] = "../secret"
    assert "../secret is not the name of a file" in proof.wrong(sealed(parsed))


def test_what_a_record_says_cannot_steer_the_terminal(proof: Proof) -> None:
    parsed = proof.parsed
    parsed["claims"]["commit"] = "\x1b[2J\nRight:"
    text = str(prove(sealed(parsed), proof.directory))
    assert "\x1b" not in text
    assert "\\x1b[2J\\nRight:" in text


def test_a_directory_with_none_of_the_files_is_wrong_and_one_that_lacks_some_is_not(
    proof: Proof, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    assert prove(proof.content, tmp_path / "empty").wrong == [f"{tmp_path / 'empty'} has none of the report's files"]
    wheel = next(proof.directory.glob("*.whl"))
    (tmp_path / "empty" / wheel.name).write_bytes(wheel.read_bytes())
    found = prove(proof.content, tmp_path / "empty")
    assert not found.wrong
    assert any("SHA256SUMS: it is not in" in one for one in found.unchecked)
