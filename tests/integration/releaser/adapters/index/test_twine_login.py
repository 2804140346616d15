"""What twine finds by itself, asked of a real keyring backend."""

from __future__ import annotations

from pathlib import Path

import pytest

from releaser.adapters.index.twine_login import IndexAddress, credentials_from_twine
from releaser.errors import ServiceError

_WAITS = """\
import time

from keyring.backend import KeyringBackend


class Keyring(KeyringBackend):
    priority = 10

    def get_password(self, service, user):
        time.sleep(3600)

    get_credential = set_password = delete_password = get_password
"""


def test_a_keyring_that_waits_for_somebody_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "waiting_keyring.py").write_text(_WAITS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "waiting_keyring.Keyring")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TWINE_PASSWORD", raising=False)

    with pytest.raises(ServiceError, match="The keyring did not say within 1 s") as caught:
        credentials_from_twine(IndexAddress("pypi", "http://127.0.0.1:1/legacy/"), "PYPI_TOKEN", within=1)

    assert "set PYPI_TOKEN" in caught.value.remedy
