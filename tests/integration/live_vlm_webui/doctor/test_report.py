"""``live-vlm-webui doctor`` on whatever machine this is, whole and broken."""

from __future__ import annotations

import json
import subprocess

import pytest

import live_vlm_webui

PARTS = [
    "live-vlm-webui",
    "dependencies",
    "machine",
    "sensors",
    "cameras of this machine",
    "models",
    "environment",
    "servers",
    "port",
    "certificate",
    "data directory",
]


@pytest.fixture
def doctor(command, environment):
    """Run the doctor, with further variables; returns what it printed."""

    def run(*arguments: str, **variables: str) -> str:
        done = subprocess.run(
            [*command, "doctor", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**environment, **variables},
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run


def test_it_tells_of_every_part_in_words(doctor):
    told = doctor()
    assert [line.rstrip(":") for line in told.splitlines() if not line.startswith(" ")] == PARTS
    assert f"  version: {live_vlm_webui.__version__}\n" in told
    assert "error" not in told


def test_it_tells_the_same_as_json(doctor):
    told = json.loads(doctor("--json"))
    assert list(told) == PARTS
    assert told["live-vlm-webui"]["version"] == live_vlm_webui.__version__
    assert {"aiohttp", "aiortc", "cryptography", "onnxruntime"} <= set(told["dependencies"])
    assert not {"invoke", "nox"} & set(told["dependencies"])
    assert "name" not in told["machine"]
    assert told["certificate"] == {"note": "not created yet"}
    assert {source["name"] for source in told["sensors"]["sources"]} >= {"cpu"}
    assert told["models"]["found"][-1]["api_base"] == "built-in"


def test_of_a_running_server_it_tells_health_certificate_and_who_may_read_the_key(doctor, start_server):
    server = start_server("--port", "0", "--host", "0.0.0.0")
    told = json.loads(doctor("--json"))
    assert told["servers"] == {
        server.url: f"version {live_vlm_webui.__version__}, process {server.process.pid}, healthy"
    }
    assert "localhost" in told["certificate"]["names"]
    assert "127.0.0.1" in told["certificate"]["names"]
    assert len(told["certificate"]["sha256"]) == 95
    assert told["certificate"]["key"] == "-rw-------"
    assert told["data directory"]["token"] == "-rw-------"


def test_a_key_in_the_path_of_an_address_that_is_asked_is_told_by_no_part(doctor):
    for form in ([], ["--json"]):
        told = doctor(*form, LIVE_VLM_API_BASE="http://127.0.0.1:9/planted-in-a-path-0123456789/planted%2Fodd/v1")
        assert "Cannot connect to http://127.0.0.1:9/***/***/v1" in told
        assert "planted" not in told


def test_no_secret_is_in_it_wherever_it_was_planted(doctor, start_server, data_dir, tmp_path):
    start_server("--port", "0", "--host", "0.0.0.0")
    kept = (data_dir / "token").read_text().strip()
    key = (data_dir / "tls" / "key.pem").read_text().splitlines()[1]
    (tmp_path / "secret").write_text("planted-in-a-file")
    for form in ([], ["--json"]):
        told = doctor(
            *form,
            LIVE_VLM_API_BASE="http://me:planted-in-an-address@127.0.0.1:9/planted-in-a-path-0123456789/v1?k=planted-query",
            LIVE_VLM_API_KEY=f"@{tmp_path}/secret",
            LIVE_VLM_TOKEN="planted-token",
            LIVE_VLM_TOKN="planted-slip-of-the-pen",
            HTTPS_PROXY="http://me:planted-proxy@127.0.0.1:9",
            OPENAI_API_KEY="planted-foreign-key",
        )
        assert "planted" not in told
        assert kept not in told
        assert key not in told
        assert "LIVE_VLM_TOKEN" in told
        assert "http://***@127.0.0.1:9/***/v1?***" in told


def test_a_key_is_not_repeated_by_a_server_of_models_that_cannot_be_reached(doctor):
    told = doctor(LIVE_VLM_API_BASE="http://127.0.0.1:9/v1", LIVE_VLM_API_KEY="planted-key")
    assert "unreachable" in told
    assert "planted" not in told


def test_settings_that_cannot_be_used_are_told_and_the_rest_is_there(doctor):
    told = json.loads(doctor("--json", LIVE_VLM_PROCESS_EVERY="often"))
    assert "LIVE_VLM_PROCESS_EVERY: 'often'" in told["environment"]["error"]
    assert "error" in told["models"]
    assert "error" not in told["sensors"]


def test_a_data_directory_that_is_none_is_told_and_the_rest_is_there(doctor, tmp_path):
    (tmp_path / "file").write_text("")
    told = json.loads(doctor("--json", LIVE_VLM_DATA=str(tmp_path / "file")))
    assert list(told) == PARTS
    assert "error" not in told["machine"]


@pytest.mark.parametrize("content", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_broken_certificate_is_told_and_the_rest_is_there(doctor, data_dir, content):
    (data_dir / "tls").mkdir(parents=True)
    (data_dir / "tls" / "certificate.pem").write_text(content)
    told = json.loads(doctor("--json"))
    assert "error" in told["certificate"]
    assert "path" in told["data directory"]
