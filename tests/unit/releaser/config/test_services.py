"""A job of a rehearsal reaches the stand-ins, and `RELEASER_SERVICES` leads nowhere but to this machine."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import pytest

from releaser.config.load import load_config
from releaser.errors import ConfigError

PROJECT = """
[project]
name = "demo"
[tool.releaser]
version-files = [{ path = "pyproject.toml", key = "project.version" }]
[tool.releaser.qualify]
sessions = ["unit"]
[tool.releaser.images]
repository = "registry.example.com/demo/demo"
[[tool.releaser.images.targets]]
name = "demo"
platforms = ["linux/amd64"]
"""
INDEX = {
    "upload_url": "http://127.0.0.1:1/legacy/",
    "simple_url": "http://127.0.0.1:1/simple/",
    "web_url": "http://127.0.0.1:1",
}
SERVICES = {
    "testpypi": INDEX,
    "pypi": INDEX,
    "forge": {"api_url": "http://[::1]:2", "web_url": "http://localhost:2", "repository": "me/demo"},
    "images": {"repository": "localhost:3/demo/demo"},
}


def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, services: object):
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "services.json").write_text(json.dumps(services))
    monkeypatch.setenv("RELEASER_SERVICES", str(tmp_path / "services.json"))
    return load_config(tmp_path)


def test_addresses_are_the_stand_ins(tmp_path, monkeypatch):
    config = loaded(tmp_path, monkeypatch, SERVICES)
    assert config.pypi.upload_url == config.testpypi.upload_url == "http://127.0.0.1:1/legacy/"
    assert (config.forge.api_url, config.forge.repository) == ("http://[::1]:2", "me/demo")
    assert config.images.repository == "localhost:3/demo/demo"
    assert config.qualify.sessions == ("unit",)


@pytest.mark.parametrize("via", ["push", "ci"])
def test_who_pushes_images_is_what_the_rehearsal_supposes(tmp_path, monkeypatch, via):
    assert loaded(tmp_path, monkeypatch, SERVICES).images.via == "push"
    services = {**SERVICES, "images": {**SERVICES["images"], "via": via}}
    assert loaded(tmp_path, monkeypatch, services).images.via == via


def test_a_quick_rehearsal_leaves_sessions_out(tmp_path, monkeypatch):
    assert loaded(tmp_path, monkeypatch, {**SERVICES, "quick": True}).qualify.sessions == ()


@pytest.mark.parametrize(
    ("service", "key", "address"),
    [
        ("pypi", "upload_url", "https://index.example.com/legacy/"),
        ("pypi", "upload_url", "http://127.0.0.1@index.example.com/legacy/"),
        ("testpypi", "simple_url", "http://127.0.0.1.example.com/simple/"),
        ("forge", "api_url", "https://192.0.2.1"),
        ("images", "repository", "registry.example.com/demo/demo"),
    ],
)
def test_another_machine_is_refused(tmp_path, monkeypatch, service, key, address):
    services = deepcopy(SERVICES)
    services[service][key] = address
    with pytest.raises(ConfigError, match=rf"{service}\.{key}: .* is not this machine's loopback address"):
        loaded(tmp_path, monkeypatch, services)


def test_a_file_that_is_not_there_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    monkeypatch.setenv("RELEASER_SERVICES", str(tmp_path / "nothing.json"))
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)
