"""The project's own start script, driven as its users drive it: it must list and pick what was published."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters import process
from releaser.config.project import Config
from releaser.errors import CommandError
from releaser.images.published import Proof
from releaser.versions.version import Version


def picked_by_script(proof: Proof, config: Config, root: Path, version: Version) -> None:
    """Ask the start script, if the project has one, for each image: is the version listed, and which tag is started?

    Args:
        proof: Takes what is wrong, and what was seen.
        config: Names the script, which takes --registry, --platform, --list-versions, --version and --dry-run.
        root: The project.
        version: What must be found.
    """
    script, repository, env = config.images.start_script, str(config.images.repository), config.images.start_script_env
    if script is None:
        return
    for target in config.images.targets:
        tag = f"{version}{target.suffix}"
        where: list[str | Path] = [root / script, "--registry", repository, "--platform", target.name]
        try:
            listed = process.ask([*where, "--list-versions"], cwd=root, env=env).text
            started = process.ask([*where, "--version", str(version), "--dry-run"], cwd=root, env=env).text
        except CommandError as error:
            proof.wrong.append(f"the tag {tag}: {script} cannot find it: {error.message[-500:]}")
            continue
        if str(version) not in listed.split():
            proof.wrong.append(f"the tag {tag}: {script} does not list {version}: {listed.strip()[-500:]}")
        if f"{repository}:{tag}" not in started.replace("'", " ").split():
            proof.wrong.append(f"the tag {tag}: {script} does not start it: {started.strip()[-500:]}")
    if not proof.wrong:
        proof.seen.append(f"{script} lists {version} and starts it for every image")
