from __future__ import annotations

import asyncio

import pytest

from live_vlm_webui.doctor import report as doctor
from live_vlm_webui.doctor.findings import cameras
from live_vlm_webui.errors import SettingsError


def fails_with(error: Exception):
    def look():
        raise error

    return look


async def test_a_part_that_fails_says_so_and_keeps_none_of_the_others():
    found = await doctor.examine(
        {
            "first": fails_with(OSError("no such thing")),
            "second": fails_with(SettingsError("It is wrong", "Put it right.")),
            "third": lambda: {"works": True},
        }
    )
    assert found == {
        "first": {"error": "OSError: no such thing"},
        "second": {"error": "It is wrong. Put it right."},
        "third": {"works": True},
    }


async def test_a_part_that_does_not_come_back_is_left(monkeypatch):
    monkeypatch.setattr(doctor, "PATIENCE_SECONDS", 0.01)
    found = await doctor.examine({"hangs": lambda: asyncio.sleep(1000), "works": lambda: {"works": True}})
    assert "no answer" in found["hangs"]["error"]
    assert found["works"] == {"works": True}


@pytest.mark.parametrize("names", [{}, {"video0": "USB Camera: USB Camera\n", "video2": "Other\n"}])
def test_cameras_are_named_as_their_drivers_do(tmp_path, names):
    for device, name in names.items():
        (tmp_path / device).mkdir()
        (tmp_path / device / "name").write_text(name)
    expected = {f"/dev/{device}": name.strip() for device, name in names.items()}
    assert cameras(tmp_path) == (expected or {"note": "none"})


def test_cameras_of_a_machine_without_any_are_none(tmp_path):
    assert cameras(tmp_path / "nowhere") == {"note": "none"}
