#!/usr/bin/env python3
"""Check the record of a release offline.

    python prove.py NAME.report.json [--files DIR] [--last-hash HASH]

It needs Python 3.9 or later and nothing else, and nothing of the program that made the record. Get it from the
repository of that program, not from where the record is. Exit codes: 0 nothing is wrong, 1 something is, 2 wrong usage.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

START = "0" * 64


def serialized(value):
    """Return the only form of a document that counts."""
    return (json.dumps(value, indent=1, ensure_ascii=True) + "\n").encode("ascii")


def sha256(content):
    """Return a hash in hex."""
    return hashlib.sha256(content).hexdigest()


class Findings:
    """What was checked, what is wrong, what could not be checked, and what has to be trusted."""

    def __init__(self):
        self.right, self.wrong, self.unchecked, self.trusted = [], [], [], []

    def expect(self, holds, right, wrong):
        """Note what was checked by whether it holds."""
        (self.right if holds else self.wrong).append(right if holds else wrong)
        return holds

    def __str__(self):
        parts = [
            ("WRONG", self.wrong),
            ("Right", self.right),
            ("Not checked", self.unchecked),
            ("Trusted", self.trusted),
        ]
        return "\n".join(f"{title}:\n" + "\n".join(f"  - {one}" for one in found) for title, found in parts if found)


def printable(text):
    """Return text of a record as one line that cannot steer a terminal."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in str(text))


def read(content, found):
    """Return the document; None if it is not what was written, byte for byte."""
    try:
        document = json.loads(content.decode("ascii"))
        schema, sealed = document["schema"], {key: document[key] for key in document if key != "digest"}
        whole = serialized(document) == content and document["digest"] == sha256(serialized(sealed))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        found.wrong.append(f"the report is not one, or was altered: {printable(error)}")
        return None
    if not found.expect(whole, "the report's bytes are those of its own digest", "the report was altered"):
        return document if isinstance(document, dict) else None
    if schema != 1:
        found.wrong.append(f"the report has schema {printable(schema)}; this program knows 1")
        return None
    return document


def check_chain(journal, found):
    """Return the events of the journal, up to the first line that does not belong there."""
    previous, entries = START, []
    for number, line in enumerate(journal["lines"], 1):
        try:
            entry = json.loads(line)
            fits = entry["previous"] == previous
        except (ValueError, KeyError, TypeError, RecursionError):
            fits = False
        if not fits:
            # The hash of a line is in the next one: of these two, either may be the one that was changed.
            before = f", or line {number - 1}," if number > 1 else ""
            found.wrong.append(f"journal: line {number}{before} was altered, or lines are missing between them")
            return entries
        entries.append(entry)
        previous = sha256(line.encode("utf-8", "surrogatepass"))
    found.expect(
        previous == journal["last"],
        f"journal: {len(entries)} lines, each holding the hash of the line before it",
        f"journal: the last line, {len(entries)}, was altered, or lines after it are missing",
    )
    return entries


def check_claims(claims, entries, found):
    """Compare what the report claims with the journal."""
    last = entries[-1] if entries else {}
    found.expect(
        last.get("event") == "reported" and last.get("claims") == sha256(serialized(claims)),
        "the report's claims are those that the journal's last line holds the hash of",
        "the report's claims are not those that the journal's last line holds the hash of",
    )
    built = next((one for one in reversed(entries) if one.get("event") == "built"), None)
    if not found.expect(
        built, "the journal records the built files' hashes", "the journal does not record the built files"
    ):
        return
    listed = {one["name"]: one["sha256"] for one in claims["files"]}
    for name, digest in sorted(built["files"].items()):
        found.expect(
            listed.get(name) == digest,
            f"{printable(name)}: the report's hash is that of the file that was built at {printable(built['at'])}",
            f"{printable(name)}: the report's hash is not that of the file that was built",
        )
    found.expect(
        claims["commit"] == built["commit"],
        f"built from commit {printable(claims['commit'])}",
        f"the report names commit {printable(claims['commit'])}; built was {printable(built['commit'])}",
    )
    for one in claims["files"]:
        for there in one["elsewhere"]:
            if there["state"] == "other":
                found.wrong.append(f"{printable(one['name'])}: the report itself says that {there['place']} has others")
    if built.get("accepted"):
        found.trusted.append("that the built files were right when a person accepted them as they were")


def check_files(document, directory, found):
    """Compare the files in a directory with the report."""
    known = {one["name"]: one["sha256"] for one in document["claims"]["files"]}
    known[document["page"]["name"]] = document["page"]["sha256"]
    if directory is None:
        found.unchecked.append("the files themselves: give their directory with --files")
        return
    there = 0
    for name, digest in sorted(known.items()):
        shown, path = printable(name), directory / name
        if Path(name).name != name:
            found.wrong.append(f"{shown} is not the name of a file")
        elif not path.is_file():
            found.unchecked.append(f"{shown}: it is not in {directory}")
        else:
            there += 1
            is_same = sha256(path.read_bytes()) == digest
            found.expect(is_same, f"{shown}: its bytes", f"{shown}: its bytes are not those of the report")
    if not there:
        found.wrong.append(f"{directory} has none of the report's files")


def check_anchor(lines, given, last, found):
    """Compare the last hash with one from elsewhere."""
    if given is None:
        found.unchecked.append(
            f"whether all of it was written at once by somebody else: compare the last hash with the one in the "
            f"release's notes, or give that one with --last-hash\n    {printable(last)}"
        )
        return
    hashes = [sha256(line.encode("utf-8", "surrogatepass")) for line in lines]
    if given in hashes[:-1]:
        number = hashes.index(given) + 1
        found.wrong.append(f"--last-hash is the hash of line {number}: lines after it, and the claims, are not in it")
        return
    if found.expect(given == last, "the last hash is the one given", "the last hash is not the one given"):
        found.trusted.append(
            "the place that --last-hash was taken from: a person who can edit it can replace all of this"
        )


def prove(content, directory=None, last_hash=None):
    """Return what was found out about a report."""
    found = Findings()
    document = read(content, found)
    if document is None:
        return found
    try:
        entries = check_chain(document["journal"], found)
        check_claims(document["claims"], entries, found)
        check_files(document, directory, found)
        check_anchor(document["journal"]["lines"], last_hash, document["journal"]["last"], found)
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        found.wrong.append(f"the report lacks a part, or one has another form: {printable(error)}")
    found.unchecked.append("what the services have now: this is what they had when the report was made")
    found.trusted += [
        "SHA-256, this program and this Python",
        "that the machine which made the release wrote down what it saw: a record tells what was written, and when "
        "that was only by its own clock",
    ]
    return found


def main(words=None):
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path, help="NAME.report.json")
    parser.add_argument("--files", type=Path, metavar="DIR", help="the directory of the files to compare")
    parser.add_argument("--last-hash", metavar="HASH", help="the journal's last hash, from the release's notes")
    given = parser.parse_args(words)
    if given.files is not None and not given.files.is_dir():
        parser.error(f"{given.files} is not a directory")
    try:
        content = given.report.read_bytes()
    except OSError as error:
        parser.error(f"{given.report} cannot be read: {error.strerror}")
    found = prove(content, given.files, given.last_hash and given.last_hash.strip().lower())
    sys.stdout.reconfigure(errors="backslashreplace")
    counts = f"{len(found.wrong)} wrong, {len(found.right)} right, {len(found.unchecked)} not checked"
    sys.stdout.write(f"{found}\n\n{counts}\n")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
