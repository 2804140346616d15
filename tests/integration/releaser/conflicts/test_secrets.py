"""Tokens reach the services that need them, and nothing and nobody else."""

from __future__ import annotations

import json

from releaser.core.journal import broken_at


class TestReleased:
    def test_no_token_is_printed(self, released):
        assert_hidden(released.ran.text, released.world.tokens)

    def test_no_token_is_in_any_file_that_the_release_left(self, released):
        world = released.world
        kept = [path for folder in (world.state, world.checkout, world.origin) for path in files_of(folder)]
        kept += [path for one in world.stand_ins.values() for path in files_of(one.folder) if path.name != "token"]
        names = {path.name for path in kept}
        assert {"journal.jsonl", "report.md", "SHA256SUMS", "forge.json", "index.json", "uploads.log", "log"} <= names
        for path in kept:
            assert_hidden(path.read_bytes().decode("utf-8", "replace"), world.tokens)

    def test_no_token_is_on_a_command_line(self, released):
        seen = " | ".join(released.watch.commands)
        assert " upload --non-interactive " in seen, "twine was not seen"
        assert " -m pip " in seen
        assert_hidden(seen, released.world.tokens)

    def test_programs_that_run_the_projects_code_are_given_no_token(self, released):
        assert any("-m invoke release" in command for command in released.watch.trusted)
        foreign = [one for one in released.watch.commands if any(part in one for part in (" -m build ", "/scratch/"))]
        assert any("bin/tiny-tool --version" in one for one in foreign)
        assert [one for one in foreign if one in released.watch.trusted] == []

    def test_the_journal_is_whole_and_says_how_it_went(self, released):
        lines = (released.world.store / "journal.jsonl").read_text().splitlines()
        assert broken_at(lines) is None
        entries = [json.loads(line) for line in lines]
        assert entries[0]["event"] == "begin"
        assert entries[0]["command"] == ["release", "--version", "0.2.0", "--yes"]
        assert {entry["step"] for entry in entries if entry["event"] == "started"} >= {"push_tag", "upload_pypi"}


class TestHidden:
    def test_credentials_in_the_remotes_address_are_shown_nowhere(self, world, unchanged):
        secret = "qX7-remoteS3cret"
        world.git("remote", "set-url", "origin", f"http://somebody:{secret}@127.0.0.1:9/origin.git")
        for words in (["release", "--yes"], ["status"], ["rollback"], ["tag", "--yes"]):
            with unchanged(world):
                ran = world.invoke(*words, "--version", "0.2.0")
            assert secret not in ran.text
            assert ran.code != 0 or words == ["rollback"], ran.text
        assert [path.name for path in files_of(world.state) if secret in path.read_text()] == []
        assert "unable to access 'http://127.0.0.1:9/origin.git/'" in world.release().words

    def test_a_token_that_a_service_repeats_is_hidden(self, world):
        world.configure("someone/tiny-tool", f"someone/{world.tokens['PYPI_TOKEN']}")
        ran = world.release()
        assert ran.code == 1
        assert "someone/[hidden]" in ran.text
        assert_hidden(ran.text, world.tokens)
        assert_hidden((world.store / "journal.jsonl").read_text(), world.tokens)


class TestJournal:
    def test_an_altered_one_is_kept_aside_and_the_next_says_so(self, world):
        world.write("notes.txt", "in the way")
        assert world.release().code == 3
        journal = world.store / "journal.jsonl"
        text = journal.read_text()
        journal.write_text(text.replace('"version": "0.2.0"', '"version": "0.1.9"'))
        altered = journal.read_text()
        assert altered != text
        assert world.release().code == 3
        lines = journal.read_text().splitlines()
        (kept,) = world.store.glob("journal.altered-*.jsonl")
        assert kept.read_text() == altered
        first = json.loads(lines[0])
        assert (first["event"], first["file"]) == ("altered", kept.name)
        assert broken_at(lines) is None


def files_of(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def assert_hidden(text: str, tokens: dict[str, str]) -> None:
    for name, token in tokens.items():
        assert token not in text, f"{name} is shown"
