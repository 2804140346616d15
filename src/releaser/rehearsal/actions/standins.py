"""What the actions do here that our workflows use; `inputs` says what each takes."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import requests

from releaser.rehearsal.actions.artifacts import ArtifactError, Artifacts, found_by
from releaser.rehearsal.actions.python import Interpreter, Pythons
from releaser.rehearsal.actions.reading.inputs import name_of
from releaser.rehearsal.actions.tokens import JobToken
from releaser.rehearsal.actions.workspace import Log, Workspace
from releaser.rehearsal.authority import Authority, now_in_utc, provenance_of_build

_FORGE_S = 30.0
_COMMIT = re.compile(r"[0-9a-f]{40}")


class StepFailedError(Exception):
    """A step that failed, in the words that its log ends with."""


@dataclass
class JobRun:
    """A job that runs.

    Attributes:
        workspace: Its folders.
        token: What it proves itself with.
        context: Its `github` context.
        log: What it says.
        artifacts: Those of every run.
        pythons: What it can have of Python.
        tools: A name for what its lines install.
        program: Runs a program in the job's environment, with more in it; returns its exit status.
        unproven: What it cannot show on this machine.
        interpreter: Its Python.
        world: The forge's folder, where the authority that signs attestations has its key.
        subjects: The digests of files for which it asked an attestation, by name.
    """

    workspace: Workspace
    token: JobToken
    context: Mapping[str, str]
    log: Log
    artifacts: Artifacts
    pythons: Pythons
    tools: str
    program: Callable[[Sequence[str | Path], Mapping[str, str], Path], int]
    world: Path
    unproven: list[str] = field(default_factory=list)
    interpreter: Interpreter | None = None
    subjects: dict[str, str] = field(default_factory=dict)

    def must(self, *command: str | Path, env: Mapping[str, str] | None = None) -> None:
        """Run a program of an action's.

        Raises:
            StepFailedError: It failed.
        """
        self.log.line(f"[command]{' '.join(map(str, command))}")
        if status := self.program(command, env or {}, self.workspace.work):
            raise StepFailedError(f"The process '{command[0]}' failed with exit code {status}")


def carry_out(uses: str, job: JobRun, given: Mapping[str, str]) -> None:
    """Do what an action does.

    Raises:
        StepFailedError: It failed.
    """
    _ACTIONS[name_of(uses)](job, given)


def _checkout(job: JobRun, given: Mapping[str, str]) -> None:
    """Fetch a commit over HTTP, and check it out as the action does."""
    context = job.context
    depth = given.get("fetch-depth", "1")
    wanted = given.get("ref") or ""
    ref, sha = (wanted, "") if wanted else (context["ref"], context["sha"])
    if _COMMIT.fullmatch(ref):
        ref, sha = "", ref
    elif ref and not ref.startswith("refs/"):
        ref = f"refs/heads/{ref}"
    login = base64.b64encode(f"x-access-token:{job.token.token}".encode()).decode()
    env = {
        # In the environment of git alone: neither in its arguments nor in .git/config.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{context['server_url']}/.extraheader",
        "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {login}",
        "GIT_TERMINAL_PROMPT": "0",
    }
    job.must("git", "init", "--quiet", job.workspace.work)
    job.must("git", "remote", "add", "origin", f"{context['server_url']}/{context['repository']}")
    fetched = {"refs/heads/": "refs/remotes/origin/", "refs/tags/": "refs/tags/"}
    if depth == "0":
        words = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
    else:
        local = next((f"{to}{ref.removeprefix(of)}" for of, to in fetched.items() if ref.startswith(of)), "")
        words = [f"--depth={depth}", f"+{sha or ref}:{local}" if local else sha or ref]
        if given.get("fetch-tags") == "true":
            words.append("+refs/tags/*:refs/tags/*")
    job.must("git", "fetch", "--quiet", "--no-tags", "--prune", "origin", *words, env=env)
    if ref.startswith("refs/heads/"):
        branch = ref.removeprefix("refs/heads/")
        start = sha or f"refs/remotes/origin/{branch}"
        job.must("git", "checkout", "--quiet", "--force", "-B", branch, start)
    else:
        job.must("git", "checkout", "--quiet", "--force", "--detach", sha or ref)


def _setup_python(job: JobRun, given: Mapping[str, str]) -> None:
    """Put the Python of a version first on the path, else the one that this machine has."""
    asked = given["python-version"]
    if not re.fullmatch(r"3\.\d+", asked):
        raise StepFailedError(f"The version '{asked}' is not carried out; ask for a minor version, such as 3.12")
    interpreter = job.pythons.interpreter(asked)
    if interpreter.unproven:
        job.unproven.append(interpreter.unproven)
        job.log.line(f"##[warning]{interpreter.unproven}")
    target = job.workspace.root / "python"

    def run(command: Sequence[str | Path]) -> int:
        return job.program(command, {}, job.workspace.root)

    if not job.pythons.create(interpreter, job.tools, target, run):
        raise StepFailedError(f"No environment could be made of {interpreter.path}")
    job.interpreter = interpreter
    job.workspace.path.append(str(target / "bin"))
    job.workspace.env["pythonLocation"] = str(target)
    job.log.line(f"Successfully set up CPython ({interpreter.version})")


def _upload(job: JobRun, given: Mapping[str, str]) -> None:
    name = given.get("name") or "artifact"
    if re.search(r'[":<>|*?\r\n\\/]', name):
        raise StepFailedError(f"The artifact name is not valid: {name}")
    patterns = [line.strip() for line in given["path"].splitlines() if line.strip()]
    files = found_by(patterns, job.workspace.work)
    if not files:
        said = f"No files were found with the provided path: {' '.join(patterns)}. No artifacts will be uploaded."
        if given.get("if-no-files-found") == "error":
            raise StepFailedError(said)
        job.log.line(f"##[warning]{said}")
        return
    run, attempt = int(job.context["run_id"]), int(job.context["run_attempt"])
    try:
        job.artifacts.put(run, attempt, name, files, overwrite=given.get("overwrite") == "true")
    except ArtifactError as error:
        raise StepFailedError(f"Failed to CreateArtifact: {error}") from None
    job.log.line(f"Artifact {name} has been successfully uploaded: {', '.join(str(inner) for _, inner in files)}")


def _download(job: JobRun, given: Mapping[str, str]) -> None:
    target = job.workspace.work / given.get("path", ".")
    try:
        count = job.artifacts.get(int(job.context["run_id"]), given["name"], target)
    except ArtifactError as error:
        raise StepFailedError(str(error)) from None
    job.log.line(f"Artifact {given['name']}: {count} files in {target}")


def _attest(job: JobRun, given: Mapping[str, str]) -> None:
    """Attest files at the forge; the rehearsal's own authority signs in place of sigstore's servers.

    Raises:
        StepFailedError: There is nothing to attest, or the forge refused, such as for a permission that is missing.
    """
    if sums := given.get("subject-checksums"):
        lines = (job.workspace.work / sums).read_text("utf-8").splitlines()
        job.subjects.update({name.lstrip("*"): digest for digest, name in (line.split(maxsplit=1) for line in lines)})
    if given.get("subject-path"):
        patterns = [one.strip() for one in re.split(r"[\n,]", given["subject-path"]) if one.strip()]
        files = found_by(patterns, job.workspace.work)
        job.subjects.update({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path, _ in files})
    if not job.subjects:
        raise StepFailedError("Could not find subject at path")
    job.token.used.add("id-token: write")
    claims = job.token.claims
    bundle = Authority(job.world, now_in_utc).bundle(provenance_of_build(job.subjects, claims), claims)
    answer = requests.post(
        f"{job.context['api_url']}/repos/{job.context['repository']}/attestations",
        json={"bundle": bundle},
        headers={"Authorization": f"Bearer {job.token.token}"},
        timeout=_FORGE_S,
    )
    if not answer.ok:
        raise StepFailedError(f"Failed to persist attestation: {answer.json()['message']}")
    job.unproven.append("GitHub's attestations: the rehearsal's own authority signed them, not sigstore's")
    for name, digest in job.subjects.items():
        job.log.line(f"Attestation created for {name}@sha256:{digest}")


_ACTIONS: Mapping[str, Callable[[JobRun, Mapping[str, str]], None]] = {
    "actions/checkout": _checkout,
    "actions/setup-python": _setup_python,
    "actions/upload-artifact": _upload,
    "actions/download-artifact": _download,
    "actions/attest": _attest,
    "actions/attest-build-provenance": _attest,
}
