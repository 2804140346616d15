"""What goes wrong on purpose at the rehearsal's index, and that it never loses or doubles anything."""

from __future__ import annotations

import hashlib
import signal
import threading
import time

import pytest
import requests

from releaser.rehearsal.index import app


@pytest.mark.parametrize("fault", ["upload-explode", "upload-hold", "upload-hold=soon", "upload-drop-once=1"])
def test_a_fault_that_cannot_be_is_a_usage_error(tmp_path, fault, capsys):
    with pytest.raises(SystemExit) as refused:
        app.main(["--world", str(tmp_path), "--fault", fault])
    assert refused.value.code == 2
    assert fault.partition("=")[0] in capsys.readouterr().err.splitlines()[-1]


def test_an_unknown_fault_is_answered_with_all_that_there_are(tmp_path, capsys):
    with pytest.raises(SystemExit):
        app.main(["--world", str(tmp_path), "--fault", "no"])
    assert "upload-drop-answer-once" in capsys.readouterr().err.splitlines()[-1]


def test_it_stops_at_once_though_it_is_holding_an_upload(start_process, files):
    index = start_process("--fault", "upload-hold=60")
    client = threading.Thread(target=swallow, args=(lambda: index.post(files.wheel("demo", "1.0")),))
    client.start()
    wait_for(index.world / "holding")
    began = time.monotonic()
    index.stop()
    client.join()
    assert time.monotonic() - began < 30


def test_every_upload_fails_while_the_fault_lasts(start_index, files, twine):
    index = start_index("--fault", "upload-status=503")
    refused = twine(f"{index.url}/legacy/", files.wheel("demo", "1.0"))
    assert (refused.returncode, "503" in refused.stdout) == (1, True)
    assert not (index.world / "uploads.log").exists()


def test_once_is_once_even_after_a_restart(start_index, files):
    options = ("--fault", "upload-status-once=503", "--fault", "simple-status-once=500")
    index = start_index(*options)
    wheel = files.wheel("demo", "1.0")
    assert index.post(wheel).status_code == 503
    index.stop()
    index = start_index(*options)
    assert index.post(wheel).status_code == 200
    assert index.get("/simple/").status_code == 500
    assert index.simple("demo")["versions"] == ["1.0"]


def test_a_connection_lost_in_the_body_stores_nothing(start_index, files):
    index = start_index("--fault", "upload-drop-once")
    wheel = files.wheel("demo", "1.0", body="x" * 200)
    with pytest.raises(requests.RequestException):
        index.post(wheel)
    assert index.get("/simple/demo/").status_code == 404
    assert index.post(wheel).status_code == 200
    assert len(index.log()) == 1


def test_an_answer_lost_after_storing_is_a_no_op_when_repeated(start_index, files, twine):
    index = start_index("--fault", "upload-drop-answer-once")
    wheel = files.wheel("demo", "1.0")
    assert twine(f"{index.url}/legacy/", wheel).returncode != 0
    assert index.simple("demo")["files"][0]["filename"] == wheel.name
    assert twine(f"{index.url}/legacy/", wheel).returncode == 0
    assert index.log()[1:] == [f"noop {wheel.name}"]


@pytest.mark.parametrize(("fault", "stored"), [("upload-hold", False), ("upload-hold-stored", True)])
def test_killed_while_it_holds_an_upload_it_has_all_of_it_or_nothing(start_process, files, fault, stored):
    index = start_process("--fault", f"{fault}=60")
    wheel = files.wheel("demo", "1.0")
    client = threading.Thread(target=swallow, args=(lambda: index.post(wheel),))
    client.start()
    wait_for(index.world / "holding")
    index.stop(signal.SIGKILL)
    client.join()
    index = start_process()
    assert not (index.world / "holding").exists()
    assert index.get("/simple/demo/").status_code == (200 if stored else 404)
    assert index.post(wheel).status_code == 200
    assert [line.split()[0] for line in index.log()] == [wheel.name, "noop"][: 1 + stored]


def test_every_answer_is_as_late_as_asked(start_index):
    index = start_index("--fault", "delay=0.3")
    began = time.monotonic()
    index.get("/simple/")
    assert time.monotonic() - began >= 0.3


def test_killed_at_any_moment_what_it_lists_it_has(start_process, files):
    """Uploads without pause, killed a little later each time."""
    accepted = []

    def upload_many(index, start):
        for number in range(start, start + 200):
            wheel = files.wheel("demo", f"1.{number}")
            if index.post(wheel).status_code == 200:
                accepted.append(wheel.name)

    for attempt in range(5):
        index = start_process()
        client = threading.Thread(target=swallow, args=(lambda i=index, n=attempt * 200: upload_many(i, n),))
        before = len(accepted)
        client.start()
        until(lambda n=before: len(accepted) > n)
        time.sleep(attempt * 0.013)
        index.stop(signal.SIGKILL)
        client.join()
    index = start_process()
    listed = {file["filename"]: file for file in index.simple("demo")["files"]}
    assert set(accepted) <= set(listed)
    for file in listed.values():
        content = requests.get(file["url"], timeout=60).content
        assert hashlib.sha256(content).hexdigest() == file["hashes"]["sha256"]
    assert sorted(line.split()[0] for line in index.log()) == sorted(listed)


def wait_for(path):
    until(path.exists)


def until(holds):
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def swallow(call):
    """Call, and expect the server to die meanwhile."""
    with pytest.raises(requests.RequestException):
        call()
