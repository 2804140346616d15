"""The release engine behind `invoke`: from a clean checkout to the package index and the forge, and the proof of it."""

from __future__ import annotations

LATE_IMPORTS = {
    "docker": "a container engine is asked",
    "id": "a job's identity is read; jobs that have none do not install it",
    "jwt": "a stand-in is asked for an identity token",
    "pypi_attestations": "an attestation is read; it imports sigstore",
    "pypi_simple": "an index is asked",
    "readme_renderer": "a description is rendered; it imports docutils",
    "releaser.adapters.forge.requester": "the forge is asked; it imports github",
    "releaser.adapters.sbom": "a bill of materials is written; it imports cyclonedx",
    "releaser.commands": "a task runs; it imports all that a release needs",
    "releaser.core.live": "something is shown on a terminal; it imports rich",
    "releaser.rehearsal.index.attestations": "a stand-in is sent attestations; it imports pypi_attestations",
    "sigstore": "an attestation is verified",
    "trove_classifiers": "metadata is compared with the index's rules",
    "twine": "twine's own settings are read",
    "virtualenv": "pip's configuration is read",
}
"""The modules that are imported inside functions, and when.

Each but `id` takes 40 to 400 ms to import, which `invoke --list`, `invoke --version`, tab completion, a dry run or a
stand-in would pay at its start. Everything else is imported at the top of its module.
"""
