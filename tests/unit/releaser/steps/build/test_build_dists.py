from __future__ import annotations

from harness.scene import Scene

from releaser.core.chain import head_of
from releaser.core.files import sha256, write_sums
from releaser.core.step import Done
from releaser.errors import ConflictError
from releaser.steps.build.build_dists import BuildDists
from releaser.steps.build.inspect_dists import InspectDists
from releaser.steps.preflight.journal import TrustJournal
from releaser.store import Receipt


def test_a_file_that_was_changed_with_its_checksum_is_named(scene: Scene) -> None:
    dists = scene.with_dists().built()
    for path in dists.uploads:
        whole = path.read_bytes()
        path.write_bytes(whole + b"more")
        write_sums(dists.directory, {**dists.sha256, path.name: sha256(path)})

        scene.failed(ConflictError, BuildDists(), path.name, "was changed after it was built", remedy="Restore")
        path.write_bytes(whole)
    write_sums(dists.directory, dists.sha256)
    assert isinstance(scene.check(BuildDists()), Done)


def test_files_are_not_taken_without_their_record_unless_a_person_chooses_so(scene: Scene) -> None:
    release = scene.with_dists()
    wheel = release.built().sha256[release.built().wheel.name]
    release.store.write_receipt(release.journal, wheel, "inspect_dists", Receipt("inspected"))
    assert isinstance(scene.check(InspectDists()), Done)
    for path in (release.store.journal, head_of(release.store.journal)):
        path.unlink()

    scene.failed(ConflictError, BuildDists(), "does not record", remedy="--choose trust_journal=begin")


def test_a_cut_journal_is_named_at_once(scene: Scene) -> None:
    release = scene.with_dists()
    release.journal.write("end", outcome="done")
    journal = release.store.journal
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))

    scene.refused(TrustJournal(), str(journal), "was cut", remedy="--choose trust_journal=begin")
    scene.refuses("release", "--version", "0.2.0", "--yes", code=3, says=["journal.jsonl was cut"])
    assert not list(journal.parent.glob("journal.altered-*"))


def test_checksums_that_are_none_are_named(scene: Scene) -> None:
    dists = scene.with_dists().built()
    (dists.directory / "SHA256SUMS").write_bytes(b"\xff\xfe\x00")

    scene.failed(ConflictError, BuildDists(), "SHA256SUMS is not a list of checksums", remedy="Restore it")
