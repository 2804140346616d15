"""The actions that have a stand-in, and the inputs that each takes here; every other action and input is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Taken:
    """What an action takes.

    Attributes:
        inputs: The values of each input that are carried out; none stands for any.
        required: The inputs that it does not do without.
        permissions: What the job's token must be allowed.
    """

    inputs: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...] = ()
    permissions: Mapping[str, str] = field(default_factory=dict)


_ATTEST = Taken(
    {"subject-path": (), "subject-checksums": ()}, permissions={"id-token": "write", "attestations": "write"}
)

ACTIONS: Mapping[str, Taken] = {
    # Credentials that stay in .git are within reach of every later step.
    "actions/checkout": Taken(
        {"ref": (), "fetch-depth": (), "fetch-tags": ("true", "false"), "persist-credentials": ("false",)},
        required=("persist-credentials",),
    ),
    "actions/setup-python": Taken({"python-version": ()}, required=("python-version",)),
    "actions/upload-artifact": Taken(
        {
            "name": (),
            "path": (),
            "if-no-files-found": ("error", "warn", "ignore"),
            "retention-days": (),
            "overwrite": ("true", "false"),
            "compression-level": (),
        },
        required=("path",),
    ),
    "actions/download-artifact": Taken({"name": (), "path": ()}, required=("name",)),
    "actions/attest": _ATTEST,
    "actions/attest-build-provenance": _ATTEST,
}


def name_of(uses: str) -> str:
    """Return an action's name without what follows @."""
    return uses.partition("@")[0]


def problems(
    uses: str, given: Mapping[str, object], permissions: Mapping[str, str]
) -> Iterator[tuple[str | None, str]]:
    """Yield what is wrong with the use of an action: the input, or None, and the problem."""
    name = name_of(uses)
    taken = ACTIONS.get(name)
    if taken is None:
        yield None, f"the action `{name}` has no stand-in"
        return
    for key, value in given.items():
        if key not in taken.inputs:
            yield key, f"the input `{key}` of {name} is not carried out"
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if taken.inputs[key] and "${{" not in text and text not in taken.inputs[key]:
            yield key, f"`{key}: {text}` of {name} is not carried out; only {' and '.join(taken.inputs[key])}"
    for key in taken.required:
        if key not in given:
            yield None, f"{name} needs the input `{key}` here"
    for scope, access in taken.permissions.items():
        if permissions.get(scope) != access:
            yield None, f"{name} needs the permission `{scope}: {access}`"
