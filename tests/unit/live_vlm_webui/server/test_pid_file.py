from __future__ import annotations

import json
import os
import stat
import sys
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from live_vlm_webui.errors import SettingsError
from live_vlm_webui.server.pid_file import find, kept, read, this_process


@pytest.fixture
def running():
    return this_process("127.0.0.1", 8090, "https://127.0.0.1:8090/", "0.1.0")


def test_this_process_is_here_and_runs(running):
    assert running.pid == os.getpid()
    assert running.is_here
    assert running.is_running


@pytest.mark.parametrize("changed", [{"started": 1.0}, {"command": "another"}, {"pid": 2**31 - 1}])
def test_another_process_with_its_number_is_not_taken_for_it(running, changed):
    assert not replace(running, **changed).is_running


def test_a_process_that_may_not_be_looked_at_counts_as_running(running, monkeypatch):
    def refuse(process):
        raise psutil.AccessDenied(process.pid)

    monkeypatch.setattr(psutil.Process, "cmdline", refuse)
    assert running.is_running


def test_a_moved_clock_makes_it_no_other_process(running):
    assert replace(running, started=running.started + 1).is_running


@pytest.mark.skipif(sys.platform != "linux", reason="Linux counts from boot")
def test_a_clock_that_is_set_years_forward_makes_it_no_other_process(running, monkeypatch):
    booted = psutil.boot_time()
    monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: booted + 1e8)
    assert psutil.Process().create_time() > booted + 1e8
    assert running.is_running


def test_the_file_is_there_meanwhile_for_its_owner_alone_and_holds_no_argument(running, tmp_path):
    with kept(tmp_path, running):
        ((path, found),) = find(tmp_path)
        assert found == running
        assert path.name == "8090@127.0.0.1.pid"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "pytest" not in path.read_text()
    assert find(tmp_path) == []


def test_a_file_that_another_server_has_written_since_is_left_alone(running, tmp_path):
    with kept(tmp_path, running):
        ((path, _),) = find(tmp_path)
        path.write_text(json.dumps(asdict(replace(running, pid=1))))
    assert path.exists()


def test_files_are_found_by_port_also_of_one_port_on_several_addresses(running, tmp_path):
    others = [replace(running, port=9000), replace(running, port=80), replace(running, address="::1")]
    with kept(tmp_path, others[0]), kept(tmp_path, running), kept(tmp_path, others[1]), kept(tmp_path, others[2]):
        assert [(found.port, found.address) for _, found in find(tmp_path) if found] == [
            (80, "127.0.0.1"),
            (8090, "127.0.0.1"),
            (8090, "::1"),
            (9000, "127.0.0.1"),
        ]


@pytest.mark.parametrize("pid", [0, -1, -8, 2**31, "1", None, 1e400])
def test_a_number_that_is_no_process_is_not_read(running, tmp_path: Path, pid):
    path = tmp_path / "x.pid"
    path.write_text(json.dumps({**asdict(running), "pid": pid}))
    assert read(path) is None


def test_where_there_is_no_directory_none_is_found(tmp_path):
    assert find(tmp_path / "nowhere") == []


def test_a_directory_that_cannot_be_read_is_told_with_a_way_out(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(SettingsError, match="run cannot be read") as wrong:
        find(tmp_path)
    assert "LIVE_VLM_DATA" in wrong.value.remedy
