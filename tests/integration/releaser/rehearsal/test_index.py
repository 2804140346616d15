"""The rehearsal's index: how it runs as a process, what it refuses, uploads by twine, yanks that pip heeds."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import pytest
import requests

from releaser.rehearsal.index import app

AUTH = ("__token__", "pypi-rehearsal")


class TestProcess:
    def test_it_says_in_one_line_where_it_listens_and_then_nothing(self, start_process, files):
        index = start_process("--name", "testpypi")
        index.post(files.wheel("demo", "1.0"))
        code, rest, errors = index.stop()
        assert json.loads(index.ready) == {"service": "testpypi", "url": index.url}
        assert (code, rest, errors) == (0, "", "")

    def test_it_stops_when_its_parent_is_gone(self, start_process):
        index = start_process()
        index.process.communicate(timeout=60)
        assert index.process.returncode == 0

    def test_one_world_has_one_server(self, start_process, capsys):
        assert app.main(["--world", str(start_process().world)]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert "another index serves" in err

    def test_a_taken_port_is_a_usage_error(self, start_index, tmp_path, capsys):
        port = start_index().url.rpartition(":")[2]
        assert app.main(["--world", str(tmp_path / "b"), "--port", port]) == 2
        assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err


class TestTwine:
    def test_twine_uploads_what_pip_then_installs(self, start_index, files, twine, tmp_path):
        index = start_index()
        wheel, sdist = files.wheel("my-demo", "1.0"), files.sdist("my-demo", "1.0")
        uploaded = twine(f"{index.url}/legacy/", wheel, sdist)
        assert uploaded.returncode == 0, uploaded.stdout
        run = run_pip("install", "--target", tmp_path / "site", "--index-url", f"{index.url}/simple/", "my-demo==1.0")
        assert run.returncode == 0, run.stderr
        assert "VERSION = '1.0'" in (tmp_path / "site" / "my_demo.py").read_text()
        assert [line.split()[0] for line in index.log()] == [wheel.name, sdist.name]

    def test_identical_bytes_again_change_nothing(self, start_index, files, twine):
        index = start_index()
        wheel = files.wheel("demo", "1.0")
        index.post(wheel)
        before = (index.world / "index.json").read_bytes()
        assert twine(f"{index.url}/legacy/", wheel).returncode == 0
        assert (index.world / "index.json").read_bytes() == before
        sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
        assert index.log() == [f"{wheel.name} {sha256}", f"noop {wheel.name}"]

    def test_other_bytes_under_the_same_name_are_refused_with_the_reason(self, start_index, files, twine):
        index = start_index()
        first = files.wheel("demo", "1.0")
        index.post(first)
        refused = twine(f"{index.url}/legacy/", files.wheel("demo", "1.0", body="changed"))
        assert refused.returncode == 1
        assert "File already exists" in refused.stdout
        assert index.simple("demo")["files"][0]["hashes"] == {"sha256": hashlib.sha256(first.read_bytes()).hexdigest()}

    def test_a_wrong_token_is_refused_and_not_repeated(self, start_process, files, twine):
        index = start_process()
        refused = twine(f"{index.url}/legacy/", files.wheel("demo", "1.0"), token="pypi-wrong")
        assert "403" in refused.stdout
        assert "Invalid or non-existent authentication information." in refused.stdout
        _, out, err = index.stop()
        assert "pypi-" not in out + err

    @pytest.mark.parametrize("auth", [None, ("me", AUTH[1]), ("__token__", "")])
    def test_only_the_token_s_own_user_name_opens_it(self, shared_index, files, auth):
        assert shared_index.post(files.wheel("closed", "1.0"), auth=auth).status_code == 403
        assert shared_index.get("/simple/closed/").status_code == 404

    @pytest.mark.parametrize(("content", "reason"), [("\n", "is empty"), (None, "cannot be read")])
    def test_an_unusable_token_file_is_a_usage_error(self, tmp_path, content, reason, capsys):
        file = tmp_path / "token"
        if content:
            file.write_text(content)
        assert app.main(["--world", str(tmp_path / "world"), "--token-file", str(file)]) == 2
        assert f"{file} {reason}" in capsys.readouterr().err


class TestRules:
    """Each refusal's reason stands in the status line, where twine reads it, and in the body."""

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"sha256_digest": "0" * 64}, "digest supplied does not match"),
            ({"md5_digest": "0" * 32}, "digest supplied does not match"),
            ({"blake2_256_digest": "0" * 64}, "digest supplied does not match"),
            ({"sha256_digest": None}, "at least one message digest"),
            ({"name": "other"}, "The form is of project 'other'"),
            ({"version": "1.1"}, "should be '1.1' not '1.0'"),
            ({"filetype": "sdist"}, "Invalid value for filetype"),
            ({":action": "submit"}, "only file_upload"),
            ({"filename": "../demo-1.0-py3-none-any.whl"}, "'/' or '\\'"),
            ({"filename": "demo-1.0.whl"}, "Invalid distribution filename"),
            ({"filename": "demo-1.0.zip"}, "Invalid file extension"),
            ({"filename": "demo-1.0.tar.gz", "filetype": "sdist"}, "Invalid distribution file"),
            ({"filename": "other-1.0-py3-none-any.whl"}, "does not contain the required metadata file"),
            ({"attestations": "[]"}, "only supported when using Trusted Publishing"),
        ],
    )
    def test_a_contradiction_is_refused(self, shared_index, files, changes, reason):
        refused = shared_index.post(files.wheel("demo", "1.0"), **changes)
        assert refused.status_code == 400
        assert reason in refused.reason
        assert reason in refused.text
        assert shared_index.get("/simple/demo/").status_code == 404

    def test_a_local_version_is_refused(self, shared_index, files):
        refused = shared_index.post(files.wheel("demo", "1.0+here"))
        assert (refused.status_code, "local versions" in refused.reason) == (400, True)

    def test_metadata_that_breaks_its_specification_is_refused(self, shared_index, files):
        refused = shared_index.post(files.wheel("demo", "1.0", requires_python="about 3"))
        assert (refused.status_code, "about 3" in refused.reason) == (400, True)

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("Classifier: Nonsense", "'Nonsense' is not a valid classifier. See https://packaging.python.org/"),
            ("Requires-Dist: a @ https://example.invalid/a.whl", "Can't have direct dependency: a @ https://example"),
            (f"Project-URL: {'x' * 33}, https://example.invalid", f"'{'x' * 33}' must be 32 characters or less. See"),
            (f"Keywords: a\nSummary: {'x' * 600}", "'summary' field must be 512 characters or less. See"),
            ("Description-Content-Type: text/html", "'text/html'"),
        ],
        ids=["classifier", "dependency", "label", "summary", "type"],
    )
    def test_metadata_that_pypi_refuses_is_refused_in_its_words(self, shared_index, files, line, reason):
        refused = shared_index.post(files.wheel("demo", "1.0", more=line))
        assert (refused.status_code, reason in refused.reason) == (400, True), refused.reason

    def test_a_description_that_does_not_render_is_refused(self, shared_index, files):
        wheel = files.wheel("demo", "1.0", more="Description-Content-Type: text/x-rst", description=".. toctree::\n")
        refused = shared_index.post(wheel)
        assert (refused.status_code, refused.reason) == (400, "The description failed to render for 'text/x-rst'.")

    def test_a_platform_that_pypi_does_not_know_is_refused(self, shared_index, files):
        name = "demo-1.0-cp311-cp311-linux_x86_64.whl"
        refused = shared_index.post(files.wheel("demo", "1.0"), filename=name)
        assert (refused.status_code, refused.reason) == (
            400,
            f"Binary wheel '{name}' has an unsupported platform tag 'linux_x86_64'.",
        )

    def test_an_sdist_s_name_is_normalised(self, shared_index, files):
        refused = shared_index.post(files.sdist("demo", "1.0"), filename="Demo-1.0.tar.gz")
        assert (refused.status_code, refused.reason) == (400, "Start filename for 'demo' with 'demo'.")

    def test_a_release_has_one_sdist_however_its_version_is_spelt(self, shared_index, files):
        assert shared_index.post(files.sdist("twice", "1.0")).status_code == 200
        refused = shared_index.post(files.sdist("twice", "1.0.0"))
        assert (refused.status_code, refused.reason) == (400, "Only one sdist may be uploaded per release.")
        assert shared_index.post(files.wheel("twice", "1.0.0")).status_code == 200
        assert shared_index.simple("twice")["versions"] == ["1.0"]

    def test_the_same_bytes_under_another_name_are_refused(self, shared_index, files):
        wheel = files.wheel("renamed", "1.0")
        shared_index.post(wheel)
        refused = shared_index.post(wheel, filename="renamed-1.0-py2.py3-none-any.whl")
        assert (refused.status_code, "File already exists" in refused.reason) == (400, True)

    def test_a_deleted_name_can_never_be_used_again(self, start_index, files):
        index = start_index()
        wheel, sdist = files.wheel("demo", "1.0"), files.sdist("demo", "1.0")
        index.post(wheel)
        index.post(sdist)
        assert index.manage("demo", "1.0", action="delete", file=wheel.name).status_code == 303
        assert [file["filename"] for file in index.simple("demo")["files"]] == [sdist.name]
        assert index.manage("demo", "1.0", action="delete").status_code == 303
        index.stop()
        index = start_index()
        for path in (wheel, sdist):
            refused = index.post(path)
            assert (refused.status_code, "already been used" in refused.reason) == (400, True)
        assert index.simple("demo")["files"] == []
        assert not any(path.is_file() for path in (index.world / "files").rglob("*"))


class TestYank:
    def test_a_yank_shows_everywhere_and_can_be_taken_back(self, start_index, files):
        index = start_index()
        index.post(files.wheel("demo", "1.0"))
        assert index.manage("Demo", "1.0", action="yank", reason='broken on "ARM"').status_code == 303
        index.stop()
        index = start_index()
        assert index.simple("demo")["files"][0]["yanked"] == 'broken on "ARM"'
        assert 'data-yanked="broken on &quot;ARM&quot;"' in index.get("/simple/demo/").text
        info = index.get("/pypi/demo/1.0/json").json()["info"]
        assert (info["yanked"], info["yanked_reason"]) == (True, 'broken on "ARM"')
        index.manage("demo", "1.0", action="unyank")
        assert index.simple("demo")["files"][0]["yanked"] is False

    def test_a_yank_needs_no_reason(self, shared_index, files):
        shared_index.post(files.wheel("quiet", "1.0"))
        shared_index.manage("quiet", "1.0", action="yank")
        assert shared_index.simple("quiet")["files"][0]["yanked"] is True

    def test_pip_takes_a_yanked_release_only_when_asked_for_it(self, shared_index, files, tmp_path):
        url = shared_index.url
        for version in ("1.0", "1.1"):
            shared_index.post(files.wheel("pulled", version))
        shared_index.manage("pulled", "1.1", action="yank", reason="broken")
        latest = requests.get(f"{url}/pypi/pulled/json", timeout=60).json()["info"]["version"]
        assert latest == "1.0"
        for wanted, expected in (("pulled", "pulled-1.0-"), ("pulled==1.1", "pulled-1.1-")):
            folder = tmp_path / expected
            run = run_pip("download", "--no-deps", "-d", folder, "--index-url", f"{url}/simple/", wanted)
            assert run.returncode == 0, run.stderr
            assert [path.name for path in folder.iterdir()] == [f"{expected}py3-none-any.whl"]

    def test_the_manage_page_is_a_form_behind_the_token(self, shared_index, files):
        shared_index.post(files.wheel("managed", "1.0"))
        url = f"{shared_index.url}/manage/project/managed/release/1.0/"
        refused = requests.get(url, timeout=60)
        assert (refused.status_code, "Basic" in refused.headers["WWW-Authenticate"]) == (401, True)
        assert requests.post(url, data={"action": "yank"}, timeout=60).status_code == 401
        assert 'value="yank"' in requests.get(url, auth=AUTH, timeout=60).text
        shared_index.manage("managed", "1.0", action="yank")
        assert 'value="unyank"' in requests.get(url, auth=AUTH, timeout=60).text

    def test_there_is_nothing_to_manage_where_there_is_nothing(self, shared_index, files):
        shared_index.post(files.wheel("idle", "1.0"))
        assert shared_index.manage("idle", "2.0", action="yank").status_code == 404
        assert shared_index.manage("idle", "1.0", action="delete", file="other.whl").status_code == 404
        assert shared_index.manage("idle", "1.0", action="rename").status_code == 400


def run_pip(*arguments):
    command = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "--no-cache-dir", *arguments]
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=60)
