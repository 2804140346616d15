"""Imports stand at the top of modules, except where start-up, memory or a missing library is paid for."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import live_vlm_webui

ROOT = Path(live_vlm_webui.__file__).parent
LAZY = {
    "cli": "--version and --help import no server",
    "stop": "the same",
    "api/camera": "PyAV, after the loader has imported it in a thread",
    "api/events": "the same",
    "api/offer": "aiortc, after the loader",
    "config/data_dir": "fcntl, which Windows does not have",
    "describer/describer": "numpy and the rest of the describer, in a thread at its first question",
    "describer/networks": "onnxruntime, whose failure is an answer with a remedy",
    "describer/reading": "rapidocr, an extra",
    "doctor/findings": "each part of the report may fail, and no other with it",
    "media/preview": "numpy and simplejpeg, in a thread at the first preview",
    "media/stream/camera": "PyAV, in the camera's thread",
    "output": "the tree of errors, which --help does without",
    "security/invitation": "segno, for a QR code, in a thread",
    "server/ready": "segno, for the QR code in a terminal",
    "server/serve": "cryptography, for HTTPS",
    "sessions/preparing": "numpy and simplejpeg, in a thread at the first camera",
    "system/nvml": "pynvml, where there is a driver",
}
HEAVY = {"aiortc", "av", "cryptography", "numpy", "onnxruntime", "pynvml", "rapidocr", "segno", "simplejpeg"}


def imports_in_functions(path):
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return any(isinstance(node, ast.Import | ast.ImportFrom) for one in functions for node in ast.walk(one))


def test_only_these_modules_import_in_functions():
    found = {
        path.relative_to(ROOT).with_suffix("").as_posix() for path in ROOT.rglob("*.py") if imports_in_functions(path)
    }
    assert found == LAZY.keys()


def test_an_application_without_camera_and_model_has_imported_nothing_heavy():
    program = "import live_vlm_webui.server.serve, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())
