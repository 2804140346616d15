"""What PyPI accepts of a file's name and metadata, in PyPI's own words; both PyPI and TestPyPI apply the same rules.

The rules are those of warehouse (`forklift/metadata.py`, `forklift/legacy.py`, late 2026) on top of the core metadata
specification, which `packaging` validates. PyPI answers with the first refusal; here all of them are found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import urlsplit

from packaging.metadata import ExceptionGroup, InvalidMetadata, Metadata, RawMetadata
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

_VERSIONS = ("1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5")
_SUMMARY = 512
_LABEL = 32
_RESERVED = ("arpa", "invalid", "local", "localhost", "onion", "test")
_FIRST = ("metadata-version", "name", "version")

_PLATFORMS = frozenset(["any", "win32", "win_amd64", "win_arm64", "win_ia64", "linux_armv6l", "linux_armv7l"])
_MAC = r"(ppc|ppc64|i386|x86_64|arm64|intel|fat|fat3|fat64|universal|universal2)"
_LINUX = r"(x86_64|i686|aarch64|armv7l|ppc64le|s390x|riscv64)"
_PATTERNS = re.compile(
    "|".join(
        (
            r"manylinux(1|2010)_(x86_64|i686)",
            r"manylinux2014_(x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x)",
            rf"manylinux_\d+_\d+_({_LINUX}|ppc64)",
            rf"musllinux_\d+_\d+_{_LINUX}",
            # From macOS 11 on, wheels name the major version alone.
            rf"macosx_(10_\d+|(1[1-5]|2\d)_0)_{_MAC}",
            r"ios_\d+_\d+_(arm64|x86_64)_(iphoneos|iphonesimulator)",
            r"android_\d+_(armeabi_v7a|arm64_v8a|x86|x86_64)",
            r"(pyodide|pyemscripten)_\d+_\d+_wasm32",
        )
    )
)


@dataclass(frozen=True)
class Refusal:
    """One reason for which PyPI refuses an upload; `field` is the metadata field that it concerns."""

    field: str
    message: str

    @property
    def as_answered(self) -> str:
        """The reason in the response's status line."""
        stop = "" if self.message.endswith(".") else "."
        return (
            f"{self.message}{stop} See https://packaging.python.org/specifications/core-metadata for more information."
        )


def refusals(raw: RawMetadata) -> list[Refusal]:
    """Return every reason for which PyPI refuses this metadata, the one that it would name first."""
    found = [*_specified(raw), *_pypis_own(raw)]
    by_field = {(one.field, one.message): one for one in found}
    return sorted(by_field.values(), key=lambda one: (_rank(one.field), one.field))


def refused_platform(filename: str) -> str | None:
    """Return why PyPI refuses a wheel's platform, or None if it accepts it (or the file is not a wheel)."""
    try:
        tags = parse_wheel_filename(filename)[3] if filename.endswith(".whl") else frozenset()
    except InvalidWheelFilename:
        return None  # refused for that
    for platform in sorted({tag.platform for tag in tags}):
        if platform not in _PLATFORMS and not _PATTERNS.fullmatch(platform):
            return f"Binary wheel '{filename}' has an unsupported platform tag '{platform}'."
    return None


def description_type(raw: RawMetadata) -> tuple[str, str]:
    """Return a description's content type (without its parameters) and its Markdown variant."""
    message = EmailMessage()
    message["content-type"] = raw.get("description_content_type") or "text/x-rst"
    return message.get_content_type(), message["content-type"].params.get("variant", "GFM")


def _rank(field: str) -> int:
    return _FIRST.index(field) if field in _FIRST else len(_FIRST)


def _specified(raw: RawMetadata) -> Iterator[Refusal]:
    """Yield what breaks the core metadata specification."""
    try:
        Metadata.from_raw(raw)
    except ExceptionGroup as group:
        for error in group.exceptions:
            yield Refusal(error.field if isinstance(error, InvalidMetadata) else "metadata", str(error))


def _pypis_own(raw: RawMetadata) -> Iterator[Refusal]:
    """Yield what the specification allows and PyPI does not."""
    from trove_classifiers import all_classifiers, deprecated_classifiers

    version = raw.get("metadata_version", "")
    if version not in _VERSIONS:
        yield Refusal("metadata-version", f"{version!r} is not a valid metadata version")
    if len(raw.get("summary", "")) > _SUMMARY:
        yield Refusal("summary", f"'summary' field must be {_SUMMARY} characters or less.")
    for field, address in (
        ("author-email", raw.get("author_email", "")),
        ("maintainer-email", raw.get("maintainer_email", "")),
    ):
        named = parseaddr(address)[1]
        if named and (reason := _refused_address(named)):
            yield Refusal(field, f"{named!r} is not a valid email address: {reason}")
    for classifier in sorted(set(raw.get("classifiers", ()))):
        instead = deprecated_classifiers.get(classifier)
        if instead is not None:
            hint = f", use one of {instead} instead" if instead else ""
            yield Refusal("classifier", f"The classifier {classifier!r} has been deprecated{hint}.")
        elif classifier not in all_classifiers:
            yield Refusal("classifier", f"{classifier!r} is not a valid classifier.")
    yield from _addresses(raw)
    for requirement in raw.get("requires_dist", ()):
        try:
            direct = Requirement(requirement).url is not None
        except InvalidRequirement:
            continue  # refused for that
        if direct:
            yield Refusal("requires-dist", f"Can't have direct dependency: {requirement}")


def _refused_address(address: str) -> str | None:
    """Return why email-validator, which PyPI uses, refuses an address; its forms that matter, not all of them."""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
        return "An email address must have an @-sign."
    domain = address.rpartition("@")[2].lower()
    if domain.rpartition(".")[2] in _RESERVED:
        return "The part after the @-sign is a special-use or reserved name that cannot be used with email."
    if not re.fullmatch(r"[^.]+(\.[^.]+)+", domain):
        return "The part after the @-sign is not valid. It should have a period."
    return None


def _addresses(raw: RawMetadata) -> Iterator[Refusal]:
    for field, address in (("home-page", raw.get("home_page")), ("download-url", raw.get("download_url"))):
        if address and not _is_web_address(address):
            yield Refusal(field, f"{address!r} is not a valid url.")
    for label, address in raw.get("project_urls", {}).items():
        if not label:
            yield Refusal("project-url", "Must have a label")
        elif len(label) > _LABEL:
            yield Refusal("project-url", f"{label!r} must be {_LABEL} characters or less.")
        elif not address:
            yield Refusal("project-url", "Must have a URL")
        elif not _is_web_address(address):
            yield Refusal("project-url", f"{address!r} is not a valid url")


def _is_web_address(text: str) -> bool:
    try:
        return urlsplit(text).scheme in ("http", "https") and not re.search(r"\s", text)
    except ValueError:
        return False
