"""Build: write the wheel's bill of materials; SHA256SUMS lists it too."""

from __future__ import annotations

from releaser.adapters.installers.venv import Venv
from releaser.core.files import sha256, write_atomically, write_sums
from releaser.core.step import Done, Outcome, Step, Todo
from releaser.release import Release


class WriteSbom(Step[Release]):
    """A CycloneDX file lists the wheel and what pip installs with it."""

    name = "write_sbom"
    title = "Bill of materials written"

    def check(self, release: Release) -> Outcome:
        """Look for it in SHA256SUMS."""
        dists = release.dists()
        name = bill_name(release)
        if dists and name in dists.sha256:
            return Done(f"{name} {dists.sha256[name][:12]}")
        return Todo(f"resolve the wheel's dependencies and write {name}")

    def run(self, release: Release) -> None:
        """Ask pip what it would install; write the bill, then its checksum."""
        from releaser.adapters import sbom

        dists = release.built()
        commit = release.must_have_commit()
        digest = dists.sha256[dists.wheel.name]
        with release.store.scratch("sbom") as scratch:
            entries = Venv.create(scratch / "venv", release.pypi.simple_url).resolve(dists.wheel)
        path = dists.directory / bill_name(release)
        write_atomically(path, sbom.cyclonedx(entries, digest, release.git.time_of(commit)))
        digests = {**dists.sha256, path.name: sha256(path)}
        release.journal.write("built", files=digests, commit=release.commit())
        write_sums(dists.directory, digests)


def bill_name(release: Release) -> str:
    """Return the name of the file."""
    return f"{release.config.package}-{release.version.pep440}.cdx.json"
