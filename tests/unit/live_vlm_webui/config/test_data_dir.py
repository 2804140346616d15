from __future__ import annotations

import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from live_vlm_webui.config import data_dir
from live_vlm_webui.config.data_dir import default_data_dir, locked, read_private, write
from live_vlm_webui.errors import SettingsError


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {}, "/home/u/.local/share/live-vlm-webui"),
        ("linux", {"XDG_DATA_HOME": "/data/home"}, "/data/home/live-vlm-webui"),
        ("linux", {"XDG_DATA_HOME": "relative"}, "/home/u/.local/share/live-vlm-webui"),
        ("darwin", {"XDG_DATA_HOME": "/data/home"}, "/home/u/Library/Application Support/live-vlm-webui"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/live-vlm-webui"),
        ("win32", {}, "/home/u/.local/share/live-vlm-webui"),
    ],
)
def test_each_platform_has_its_place(monkeypatch, platform, environ, expected):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/u"))
    assert default_data_dir(environ) == Path(expected)


def test_without_a_home_the_variable_is_named(monkeypatch):
    def no_home() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(SettingsError, match="No home directory") as none:
        default_data_dir({})
    assert "LIVE_VLM_DATA" in none.value.remedy


def test_what_is_written_is_its_owners_alone_and_so_is_the_directory(tmp_path):
    path = tmp_path / "data" / "tls" / "key.pem"
    write(path, b"secret")
    assert path.read_bytes() == b"secret"
    assert mode_of(path) == 0o600
    assert mode_of(path.parent) == 0o700
    assert mode_of(path.parent.parent) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_writing_does_not_write_through_a_link_that_somebody_put_there(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("theirs")
    path = tmp_path / "key.pem"
    path.symlink_to(elsewhere)
    write(path, b"secret")
    assert elsewhere.read_text() == "theirs"
    assert not path.is_symlink()


def test_a_file_is_written_atomically_without_leftovers(tmp_path, monkeypatch):
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingsError, match=r"key\.pem cannot be written: No space left on device"):
        write(tmp_path / "key.pem", b"secret")
    assert list(tmp_path.iterdir()) == []


def test_reading_puts_the_permissions_right_and_says_so(tmp_path, caplog):
    path = tmp_path / "token"
    path.write_text("secret")
    path.chmod(0o644)
    assert read_private(path) == b"secret"
    assert mode_of(path) == 0o600
    assert "was readable by others (mode 644)" in caplog.text
    assert "secret" not in caplog.text


def test_a_private_file_is_read_without_a_word(tmp_path, caplog):
    write(tmp_path / "token", b"secret")
    assert read_private(tmp_path / "token") == b"secret"
    assert caplog.text == ""


def test_reading_what_is_not_there_gives_none(tmp_path):
    assert read_private(tmp_path / "token") is None


def test_a_file_that_cannot_be_read_is_an_error_with_a_way_out(tmp_path):
    (tmp_path / "token").mkdir()
    with pytest.raises(SettingsError, match="token cannot be") as error:
        read_private(tmp_path / "token")
    assert "LIVE_VLM_DATA" in error.value.remedy


def test_a_huge_file_is_not_read(tmp_path):
    write(tmp_path / "token", b"x" * (data_dir.LARGEST + 1))
    with pytest.raises(SettingsError, match="unexpectedly large"):
        read_private(tmp_path / "token")


def test_a_directory_that_cannot_be_made_is_an_error_with_a_way_out(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"), locked(tmp_path / "file" / "data"):
        pass
    with pytest.raises(SettingsError, match="cannot be written"):
        write(tmp_path / "file" / "data" / "key", b"")


def test_two_servers_do_not_make_the_same_thing_at_once(tmp_path):
    inside = threading.Event()
    order = []

    def second() -> None:
        inside.wait()
        with locked(tmp_path):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with locked(tmp_path):
        inside.set()
        thread.join(0.05)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


@pytest.mark.parametrize("place", ["file", "file/data"])
def test_a_file_in_the_place_of_the_directory_is_called_one(tmp_path, place):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError) as wrong, locked(tmp_path / place):
        pass
    assert f"{tmp_path / 'file'} is a file, not a directory" in wrong.value.message
    assert "LIVE_VLM_DATA" in wrong.value.remedy


def test_a_name_that_is_too_long_is_an_error_with_a_way_out(tmp_path):
    with pytest.raises(SettingsError, match="File name too long") as wrong, locked(tmp_path / ("n" * 300) / "data"):
        pass
    assert wrong.value.remedy == "Set LIVE_VLM_DATA to another directory."
