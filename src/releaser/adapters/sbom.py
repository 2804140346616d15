"""A CycloneDX software bill of materials of a wheel and of what pip installs for it."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.spdx import fixup_id, is_expression
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def cyclonedx(entries: list[dict[str, Any]], wheel_sha256: str, epoch: int) -> str:
    """Return the bill as CycloneDX 1.6 JSON; the same input gives the same bytes.

    Args:
        entries: `install` of a pip installation report (PyPA specification), the wheel's own entry first.
        wheel_sha256: The wheel's hash; it also makes the serial number.
        epoch: The time that it carries, in seconds since 1970.
    """
    main = _component(entries[0], ComponentType.APPLICATION, wheel_sha256)
    libraries = {
        _name(entry): _component(entry, ComponentType.LIBRARY, _archive_sha256(entry)) for entry in entries[1:]
    }
    bom = Bom(serial_number=uuid5(NAMESPACE_URL, wheel_sha256), components=libraries.values())
    bom.metadata.timestamp = datetime.fromtimestamp(epoch, timezone.utc)
    bom.metadata.component = main
    for entry in entries:
        own = main if entry is entries[0] else libraries[_name(entry)]
        bom.register_dependency(own, [libraries[name] for name in _required(entry) if name in libraries])
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _component(entry: dict[str, Any], kind: ComponentType, sha256: str | None) -> Component:
    metadata = entry["metadata"]
    url = PackageURL("pypi", None, _name(entry), metadata["version"])
    return Component(
        name=metadata["name"],
        version=metadata["version"],
        type=kind,
        bom_ref=str(url),
        purl=url,
        description=metadata.get("summary"),
        licenses=_licenses(metadata),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if sha256 else [],
    )


def _name(entry: dict[str, Any]) -> str:
    return canonicalize_name(entry["metadata"]["name"])


def _archive_sha256(entry: dict[str, Any]) -> str | None:
    hashes: dict[str, str] = entry["download_info"].get("archive_info", {}).get("hashes", {})
    return hashes.get("sha256")


def _required(entry: dict[str, Any]) -> list[str]:
    found = (Requirement(text) for text in entry["metadata"].get("requires_dist", []))
    wanted = (one for one in found if one.marker is None or one.marker.evaluate({"extra": ""}))
    return sorted({canonicalize_name(one.name) for one in wanted})


def _licenses(metadata: dict[str, Any]) -> list[Any]:
    text = metadata.get("license_expression") or metadata.get("license")
    if not text or len(text) > 100 or "\n" in text:
        return []
    if known := fixup_id(text):
        return [DisjunctiveLicense(id=known)]
    return [LicenseExpression(text) if is_expression(text) else DisjunctiveLicense(name=text)]
