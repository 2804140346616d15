"""A CycloneDX software bill of materials of a wheel and of what pip installs for it."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any
from uuid import NAMESPACE_URL, uuid5


def cyclonedx(entries: list[dict[str, object]], wheel_sha256: str, epoch: int) -> str:
    """The bill as CycloneDX 1.6 JSON.

    Args:
        entries: `install` of a pip installation report (PyPA specification), the wheel's own entry first.
        wheel_sha256: The wheel's hash; it also makes the serial number, so that the same input gives the same bytes.
        epoch: The time that it carries, in seconds since 1970.
    """
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    def component(entry: dict[str, Any], kind: ComponentType) -> Component:
        metadata = entry["metadata"]
        name, version = metadata["name"], metadata["version"]
        digest = (
            wheel_sha256
            if entry is entries[0]
            else entry["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")
        )
        url = PackageURL("pypi", None, name.lower().replace("_", "-"), version)
        return Component(
            name=name,
            version=version,
            type=kind,
            bom_ref=str(url),
            purl=url,
            description=metadata.get("summary"),
            licenses=_licenses(metadata),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)] if digest else [],
        )

    bom = Bom(serial_number=uuid5(NAMESPACE_URL, wheel_sha256))
    bom.metadata.timestamp = datetime.fromtimestamp(epoch, timezone.utc)
    bom.metadata.component = component(entries[0], ComponentType.APPLICATION)
    by_name = {
        str(e["metadata"]["name"]).lower().replace("_", "-"): component(e, ComponentType.LIBRARY) for e in entries[1:]
    }  # type: ignore[index]
    for library in by_name.values():
        bom.components.add(library)
    for entry in entries:
        own = (
            bom.metadata.component
            if entry is entries[0]
            else by_name[str(entry["metadata"]["name"]).lower().replace("_", "-")]
        )  # type: ignore[index]
        bom.register_dependency(own, [by_name[name] for name in _required(entry) if name in by_name])
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    return json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _required(entry: dict[str, Any]) -> list[str]:
    from packaging.requirements import Requirement

    found = (Requirement(text) for text in entry["metadata"].get("requires_dist", []))
    wanted = (one for one in found if one.marker is None or one.marker.evaluate({"extra": ""}))
    return sorted({one.name.lower().replace("_", "-") for one in wanted})


def _licenses(metadata: dict[str, Any]) -> list[Any]:
    from cyclonedx.factory.license import LicenseFactory

    text = metadata.get("license_expression") or metadata.get("license")
    if not text or len(text) > 100 or "\n" in text:
        return []
    return [LicenseFactory().make_from_string(text)]
