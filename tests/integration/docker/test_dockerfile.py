from __future__ import annotations

import gzip
import io
import json
import os
import re
import shutil
import socket
import ssl
import tarfile
import time
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest

REPOSITORY = Path(__file__).parents[3]
HEALTHY_SECONDS = 5 * 60
"""Emulated, the server takes ten seconds to start where nothing else runs."""
TRUSTING = ssl._create_unverified_context()
"""The server makes its certificate itself."""
LOCKED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_until_healthy(docker, container):
    deadline = time.monotonic() + HEALTHY_SECONDS
    while time.monotonic() < deadline:
        state = docker.inspect(container)["State"]
        if state["Health"]["Status"] == "healthy" or not state["Running"]:
            break
        time.sleep(0.25)
    assert state["Running"], docker("logs", container)
    assert state["Health"]["Status"] == "healthy", state["Health"]["Log"]


def run_in(docker, image, *words):
    return docker("run", "--rm", "--network=host", *words[:-1], "--entrypoint=sh", image, "-c", words[-1]).stdout


@pytest.fixture
def thor(docker, images) -> str:
    """The Jetson image, where this machine can run it."""
    done = docker("run", "--rm", "--network=none", "--entrypoint=true", images["jetson-thor"], check=False)
    if "exec format error" in done.stdout + done.stderr:
        pytest.skip("this machine cannot run arm64 images: no emulation is registered")
    return images["jetson-thor"]


@pytest.fixture(scope="module")
def files(archive) -> dict[str, dict[str, bytes]]:
    """What our own layers hold, per layer and path."""
    found = {}
    for manifest in archive.manifests.values():
        for digest in archive.layers(manifest):
            with tarfile.open(fileobj=io.BytesIO(archive.blob(digest))) as layer:
                found[digest] = {
                    member.name: content.read() if (content := layer.extractfile(member)) else b""
                    for member in layer
                    if member.isfile()
                }
    return found


def test_the_four_targets_are_what_is_released(docker):
    resolved = json.loads(docker.bake("--print").stdout)
    platforms = {name: target["platforms"] for name, target in resolved["target"].items()}
    assert platforms == {
        "multiarch": ["linux/amd64", "linux/arm64"],
        "jetson-orin": ["linux/arm64"],
        "jetson-thor": ["linux/arm64"],
        "mac": ["linux/arm64"],
    }
    assert sorted(resolved["group"]["default"]["targets"]) == sorted(platforms)


def test_one_target_can_have_a_base_of_its_own(docker):
    resolved = json.loads(docker.bake("--print", JETSON_ORIN_IMAGE="other:1").stdout)
    bases = {name: target["args"]["PYTHON_IMAGE"] for name, target in resolved["target"].items()}
    assert {name for name, base in bases.items() if base == "other:1"} == {"jetson-orin"}


def test_an_sbom_scanner_is_a_setting(docker):
    def attested(**variables):
        resolved = json.loads(docker.bake("--print", "mac", **variables).stdout)
        return {one["type"]: one for one in resolved["target"]["mac"]["attest"]}

    assert set(attested()) == {"provenance"}
    assert attested(SBOM_SCANNER="scanner:1")["sbom"]["generator"] == "scanner:1"


def test_a_jetson_image_prints_the_wheels_version(docker, thor, version):
    done = docker("run", "--rm", "--network=host", thor, "--version")
    assert done.stdout == f"live-vlm-webui {version}\n"
    assert docker.inspect(thor)["Architecture"] == "arm64"


def test_a_jetson_image_becomes_healthy(docker, thor, start):
    wait_until_healthy(docker, start(thor, "--port", "0"))


@pytest.mark.parametrize("locked", [(), LOCKED], ids=["as it is", "with nothing allowed"])
def test_it_becomes_healthy_on_the_port_that_it_is_given_and_stops_at_once(docker, images, start, version, locked):
    port = free_port()
    container = start(*locked, images["multiarch"], "--port", str(port))
    wait_until_healthy(docker, container)
    with urlopen(f"https://127.0.0.1:{port}/healthz", timeout=60, context=TRUSTING) as answer:
        assert json.load(answer)["version"] == version
    docker("stop", container)
    assert docker.inspect(container)["State"]["ExitCode"] == 0


def test_its_health_is_its_own_where_another_server_has_the_port(docker, images, start):
    with socket.create_server(("127.0.0.1", 0)) as other:
        container = start(images["multiarch"], "--port", str(other.getsockname()[1]), "--auto-port")
        wait_until_healthy(docker, container)


def test_a_container_without_a_server_is_not_healthy_though_others_listen(docker, images, start):
    with socket.create_server(("127.0.0.1", 0)):
        container = start("--entrypoint=sleep", images["multiarch"], "60")
        check = docker.inspect(images["multiarch"])["Config"]["Healthcheck"]["Test"][1:]
        done = docker("exec", container, *check, check=False)
    assert (done.returncode, done.stdout) == (1, "The server does not listen.\n")


def test_it_runs_as_a_user_who_may_write_to_the_volume_alone(docker, images):
    told = run_in(
        docker,
        images["multiarch"],
        "id -u; echo x > /data/x && echo wrote data;"
        ' python3 -c \'import os; print([d for d, _, f in os.walk("/opt") for d in (d, *(d + "/" + n for n in f))'
        " if not os.path.islink(d) and os.access(d, os.W_OK)])'",
    )
    assert told == "10001\nwrote data\n[]\n"
    config = docker.inspect(images["multiarch"])["Config"]
    assert config["User"] == "10001:10001"
    assert config["Volumes"] == {"/data": {}}
    assert "LIVE_VLM_DATA=/data" in config["Env"]


def test_the_labels_say_what_it_is(docker, images, version):
    for image in images.values():
        labels = docker.inspect(image)["Config"]["Labels"]
        found = {name.rpartition(".")[2]: text for name, text in labels.items() if "opencontainers" in name}
        assert found["version"] == version
        assert found["revision"] == docker.variables["REVISION"]
        assert found["created"] == docker.variables["CREATED"]
        assert found["licenses"] == "Apache-2.0"
        assert found["title"] == "live-vlm-webui"
        assert found["url"] == found["source"] == "https://github.com/NVIDIA-AI-IOT/live-vlm-webui"
        assert found["description"]


def test_an_nvidia_runtime_is_asked_for_nvml(docker, images):
    environment = docker.inspect(images["multiarch"])["Config"]["Env"]
    assert {"NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=utility"} <= set(environment)


def test_it_holds_the_versions_of_the_bill_and_the_bill(docker, images, wheel_dir):
    (bill,) = wheel_dir.glob("*.cdx.json")
    (pinned,) = json.loads(bill.read_text("utf-8"))["components"]
    told = run_in(
        docker,
        images["multiarch"],
        "/opt/live-vlm-webui/bin/python -c 'import aiohttp; print(aiohttp.__version__)';"
        " cat /usr/share/doc/live-vlm-webui/sbom.cdx.json",
    )
    assert told == f"{pinned['version']}\n{bill.read_text('utf-8')}"


def exercise(docker, image, *options, words=()):
    """What the app takes from its dependencies, used inside an image: each with whether it went well."""
    program = Path(__file__).with_name("exercise.py")
    options = ["--network=none", "--no-healthcheck", f"--volume={program}:/exercise.py:ro", *options]
    python = "--entrypoint=/opt/live-vlm-webui/bin/python"
    told = docker("run", "--rm", *options, python, image, "/exercise.py", *words).stdout
    return dict(line.rsplit(maxsplit=1) for line in told.splitlines())


WORKS = {
    "imported": "True",
    "dependencies": "True",
    "network efficientnet-lite0.onnx": "True",
    "network nanodet.onnx": "True",
    "convolution": "True",
    "video/VP8 320": "240",
    "video/H264 320": "240",
    "jpeg (240, 320,": "3)",
    "certificate": "True",
    "code": "True",
    "memory": "True",
    "metrics": "True",
    "nvml": "True",
}


def test_nothing_that_the_app_uses_was_left_out(docker, images):
    assert exercise(docker, images["multiarch"]) == WORKS


def test_nothing_that_the_app_uses_was_left_out_on_a_jetson(docker, thor):
    if os.uname().machine in {"aarch64", "arm64"}:
        assert exercise(docker, thor) == WORKS
        return
    # Emulators show the PC's processors, on which onnxruntime looks for those of an arm64 machine, and crashes. Each
    # network would run for minutes; it is the same file as in the PC's image, and a convolution is run here as well.
    processors = f"--volume={Path(__file__).with_name('cpuinfo-arm64.txt')}:/proc/cpuinfo:ro"
    assert exercise(docker, thor, processors, words=["--load-only"]) == WORKS


def test_both_platforms_hold_compiled_modules_of_their_own(archive, files):
    machines = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
    assert set(archive.manifests) == set(machines)
    for platform, manifest in archive.manifests.items():
        dependencies, _ = archive.layers(manifest)
        modules = [name for name in files[dependencies] if re.search(r"\.cpython-\d+-.*\.so$", name)]
        assert modules
        assert all(machines[platform] in name for name in modules)


def test_no_layer_holds_a_key_a_certificate_or_what_the_build_was_given_in_secret(docker, archive, files):
    given = Path(docker.variables["PIP_CONFIG"]).read_bytes()
    mark = next(line for line in given.splitlines() if line.startswith(b"# "))[2:]
    seen = 0
    for layer in files.values():
        for name, content in layer.items():
            seen += 1
            assert not re.search(r"\.(pem|key|crt|p12)$|pip\.conf$|id_rsa|/run/secrets", name), name
            # Libraries of cryptography hold the keys of their own self-tests.
            if ".so" not in name:
                assert not re.search(rb"-----BEGIN [A-Z ]+-----\s+[A-Za-z0-9+/=]{20}", content), name
            assert mark not in content, name
    assert seen > 100
    with tarfile.open(archive.path) as everything:
        for member in everything:
            content = everything.extractfile(member)
            raw = content.read() if content else b""
            assert mark not in raw, member.name
            if raw[:2] == b"\x1f\x8b":
                assert mark not in gzip.decompress(raw), member.name


def test_history_and_provenance_tell_no_secret_nor_where_it_lay(docker, archive):
    told = [archive.blob(archive.load(manifest)["config"]["digest"]) for manifest in archive.manifests.values()]
    told += [json.dumps(statement).encode() for statement in archive.attestations]
    for text in told:
        assert docker.variables["PIP_CONFIG"].encode() not in text
        assert not re.search(rb"(?i)(password|passwd|api[-_]?key)\s*[=:]", text)


def test_provenance_is_attested_for_each_platform(archive):
    statements = archive.attestations
    assert len(statements) == len(archive.manifests)
    assert {f"sha256:{one['subject'][0]['digest']['sha256']}" for one in statements} == set(archive.manifests.values())
    for one in statements:
        assert one["predicateType"].startswith("https://slsa.dev/provenance/")
        assert "buildDefinition" in one["predicate"] or "buildConfig" in one["predicate"]


def test_the_same_wheel_gives_the_same_images_without_any_cache(docker, archive, tmp_path):
    again = docker.archive(tmp_path / "again.tar", "--no-cache")
    assert again.manifests == archive.manifests


def test_code_alone_changes_the_wheels_layer_alone_even_at_another_time(docker, archive, wheel_dir, tmp_path):
    (wheel,) = wheel_dir.glob("*.whl")
    changed = tmp_path / "wheel"
    changed.mkdir()
    with zipfile.ZipFile(wheel) as before, zipfile.ZipFile(changed / wheel.name, "w") as after:
        for info in before.infolist():
            more = b"\n# changed\n" if info.filename == "live_vlm_webui/app.py" else b""
            after.writestr(info, before.read(info) + more)
    for bill in wheel_dir.glob("*.cdx.json"):
        shutil.copy(bill, changed)
    new = docker.archive(tmp_path / "new.tar", WHEEL_DIR=str(changed), SOURCE_DATE_EPOCH="1710000000")
    for platform, manifest in archive.manifests.items():
        layers = [
            [layer["digest"] for layer in one]
            for one in (
                archive.load(manifest)["layers"],
                new.load(new.manifests[platform])["layers"],
            )
        ]
        assert layers[0][:-1] == layers[1][:-1]
        assert layers[0][-1] != layers[1][-1]


def test_a_second_build_does_nothing_again(docker, images):
    told = docker.bake("--load", "jetson-thor").stderr
    steps = re.findall(r"^#(\d+) \[.*\] (?:RUN|COPY) ", told, re.MULTILINE)
    assert len(set(steps)) >= 8
    assert not [number for number in set(steps) if not re.search(rf"^#{number} CACHED$", told, re.MULTILINE)]


@pytest.mark.parametrize(("count", "told"), [(0, "found none"), (2, "-2-py3-none-any.whl")])
def test_the_context_must_hold_exactly_one_wheel(docker, wheel_dir, tmp_path, count, told):
    (wheel,) = wheel_dir.glob("*.whl")
    for number in range(1, count + 1):
        shutil.copy(wheel, tmp_path / wheel.name.replace("-py3", f"-{number}-py3"))
    done = docker.bake("mac", WHEEL_DIR=str(tmp_path), check=False)
    assert done.returncode != 0
    assert "the build context `wheel` must contain exactly one wheel" in done.stderr
    assert told in done.stderr


def test_plain_docker_build_builds_the_wheel_itself(docker, version):
    name = f"{docker.variables['REGISTRY_IMAGE']}:plain"
    try:
        docker.build("-t", name)
        assert docker("run", "--rm", "--network=host", name, "--version").stdout == f"live-vlm-webui {version}\n"
    finally:
        docker("image", "rm", "--force", name, check=False)


def test_the_build_context_holds_what_is_needed_and_no_more(docker, tmp_path):
    lister = tmp_path / "Dockerfile"
    lister.write_text("FROM scratch\nCOPY . /\n", encoding="utf-8")
    shutil.copy(REPOSITORY / ".dockerignore", tmp_path / "Dockerfile.dockerignore")
    docker("build", "-f", lister, "--output", f"type=local,dest={tmp_path / 'context'}", ".")
    root = tmp_path / "context"
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    product = {name for name in found if name.startswith("src/live_vlm_webui/")}
    assert product
    assert not [name for name in product if name.endswith(".pyc")]
    assert found - product == {
        "LICENSE",
        "README.md",
        "docker/assemble.py",
        "docker/healthcheck.py",
        "pyproject.toml",
    }
    assert sum((root / name).stat().st_size for name in found if not name.endswith(".onnx")) < 2_000_000
