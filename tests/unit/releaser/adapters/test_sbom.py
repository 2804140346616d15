from __future__ import annotations

import json
import random
from datetime import datetime, timezone
from typing import Any

import pytest

from releaser.adapters.sbom import cyclonedx

SHA = "ab" * 32
EPOCH = 1_767_225_600


def entry(
    name: str, version: str = "1.0", *requires: str, sha: str | None = "cd" * 32, **metadata: Any
) -> dict[str, Any]:
    """One installed file, as pip's installation report has it."""
    archive = {"archive_info": {"hashes": {"sha256": sha}}} if sha else {"dir_info": {}}
    return {
        "download_info": {"url": f"https://index.invalid/{name}.whl", **archive},
        "is_direct": False,
        "metadata": {
            "metadata_version": "2.4",
            "name": name,
            "version": version,
            "requires_dist": list(requires),
            **metadata,
        },
    }


ENTRIES = [
    entry("Demo.App", "0.2.0", "aiohttp>=3", "Tool_Kit", "not-installed; extra == 'dev'", summary="A demo"),
    entry("aiohttp", "3.10", "tool-kit", license_expression="Apache-2.0 AND MIT"),
    entry("tool-kit", "2.0", "aiohttp; python_version < '3'", "aiohttp; extra == 'dev'", license="MIT"),
]


def bill(entries: list[dict[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(cyclonedx(entries, SHA, EPOCH))
    return document


def test_the_bill_says_of_what_it_is_and_when_it_was_made() -> None:
    document = bill(ENTRIES)

    assert (document["bomFormat"], document["specVersion"], document["version"]) == ("CycloneDX", "1.6", 1)
    assert datetime.fromisoformat(document["metadata"]["timestamp"]) == datetime.fromtimestamp(EPOCH, timezone.utc)
    main = document["metadata"]["component"]
    assert (main["type"], main["name"], main["version"]) == ("application", "Demo.App", "0.2.0")
    assert main["purl"] == "pkg:pypi/demo-app@0.2.0"
    assert main["hashes"] == [{"alg": "SHA-256", "content": SHA}]
    assert main["description"] == "A demo"


def test_every_library_is_listed_with_its_version_and_hash() -> None:
    found = {one["purl"]: one for one in bill(ENTRIES)["components"]}

    assert set(found) == {"pkg:pypi/aiohttp@3.10", "pkg:pypi/tool-kit@2.0"}
    for one in found.values():
        assert one["type"] == "library"
        assert one["hashes"] == [{"alg": "SHA-256", "content": "cd" * 32}]


def test_who_needs_whom_is_told_without_what_an_extra_or_another_python_would_need() -> None:
    needs = {one["ref"]: one.get("dependsOn", []) for one in bill(ENTRIES)["dependencies"]}

    assert needs == {
        "pkg:pypi/demo-app@0.2.0": ["pkg:pypi/aiohttp@3.10", "pkg:pypi/tool-kit@2.0"],
        "pkg:pypi/aiohttp@3.10": ["pkg:pypi/tool-kit@2.0"],
        "pkg:pypi/tool-kit@2.0": [],
    }


def test_every_reference_leads_to_a_component() -> None:
    document = bill(ENTRIES)

    known = {one["bom-ref"] for one in [document["metadata"]["component"], *document["components"]]}
    used = {ref for one in document["dependencies"] for ref in (one["ref"], *one.get("dependsOn", []))}
    assert used == known


def test_the_same_files_give_the_same_bytes_in_whatever_order_pip_lists_them() -> None:
    many = [ENTRIES[0], *(entry(f"lib{number}", "1.0", "aiohttp", license="BSD") for number in range(20)), *ENTRIES[1:]]
    expected = cyclonedx(many, SHA, EPOCH)

    for seed in range(5):
        shuffled = many[1:]
        random.Random(seed).shuffle(shuffled)
        assert cyclonedx([many[0], *shuffled], SHA, EPOCH) == expected


def test_another_wheel_has_another_serial_number() -> None:
    assert bill(ENTRIES)["serialNumber"] == bill(ENTRIES)["serialNumber"]
    other = json.loads(cyclonedx(ENTRIES, "ef" * 32, EPOCH))
    assert other["serialNumber"].startswith("urn:uuid:")
    assert other["serialNumber"] != bill(ENTRIES)["serialNumber"]


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"license_expression": "MIT"}, [{"license": {"id": "MIT"}}]),
        ({"license_expression": "Apache-2.0 AND MIT"}, [{"expression": "Apache-2.0 AND MIT"}]),
        ({"license": "Do as you like"}, [{"license": {"name": "Do as you like"}}]),
        ({"license": "The whole text\nof a licence"}, None),
        ({"license": "x" * 101}, None),
        ({"license": ""}, None),
        ({}, None),
    ],
)
def test_a_licence_is_told_where_metadata_name_one(metadata: dict[str, str], expected: object) -> None:
    (library,) = bill([entry("demo", "1.0", "lib"), entry("lib", **metadata)])["components"]

    found = library.get("licenses")
    assert found is None if expected is None else [_without_marks(one) for one in found] == expected


def test_what_was_not_installed_from_an_archive_has_no_hash() -> None:
    (library,) = bill([entry("demo", "1.0", "lib"), entry("lib", sha=None)])["components"]

    assert "hashes" not in library


def test_a_wheel_that_needs_nothing_has_a_bill_too() -> None:
    document = bill([entry("demo", "1.0")])

    assert document.get("components", []) == []
    assert document["dependencies"] == [{"ref": "pkg:pypi/demo@1.0"}]


def _without_marks(licence: dict[str, Any]) -> dict[str, Any]:
    inner = licence.get("license")
    if inner is None:
        return {"expression": licence["expression"]}
    return {"license": {key: value for key, value in inner.items() if key in ("id", "name")}}
