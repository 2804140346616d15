"""Each credential, as far as its service tells what it is good for without publishing anything."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from releaser.adapters import tools
from releaser.adapters.forge.client import Forge
from releaser.adapters.index.token import read_token
from releaser.config.project import INDEX_TITLES, IndexName
from releaser.errors import ReleaserError
from releaser.inspection.findings import Findings
from releaser.release import Release
from releaser.secret import Secret

_SOON = timedelta(days=14)


def look_at_index_token(release: Release, name: IndexName) -> list[Findings]:
    """Read what the upload token says of itself: which index, which projects, until when."""
    notes, index, config = Findings("credentials"), release.index(name), release.config.index(name)
    if config.via == "ci":
        notes.none(name, f"{config.workflow} uploads by trusted publishing")
        return [notes]
    if index.token is None:
        return []  # log_in_testpypi and log_in_pypi say so, with what twine knows
    variable, text = index.token_env, index.token.reveal()
    says = read_token(text)
    if says is None:
        notes.unproven(name, f"{variable} does not have the form of a token of PyPI", "Copy it again if it is one.")
        return [notes]
    host = urlsplit(index.upload_url).hostname or ""
    if host not in (says.location, f"upload.{says.location}"):
        other = next((INDEX_TITLES[one] for one in INDEX_TITLES if one != name), "another index")
        remedy = f"Set {variable} to a token of {INDEX_TITLES[name]}; this may be one of {other}."
        notes.wrong(name, f"the token in {variable} is for {says.location}, not for {host}", remedy)
        return [notes]
    wanted = canonicalize_name(release.config.distribution)
    if says.projects is not None and wanted not in map(canonicalize_name, says.projects):
        named = ", ".join(says.projects)
        notes.wrong(name, f"the token in {variable} is for {named}, not for {wanted}", "Make one for this project.")
    elif says.expires and says.expires < datetime.now(timezone.utc):
        notes.wrong(name, f"the token in {variable} ended at {says.expires:%Y-%m-%d %H:%M} UTC", "Make a new one.")
    else:
        scope = f"for {', '.join(says.projects)}" if says.projects else "names no project: it is good for all, or by id"
        until = f", until {says.expires:%Y-%m-%d %H:%M} UTC" if says.expires else ""
        notes.right(name, f"the token in {variable} is {scope}{until}; whether it was revoked is unproven")
    return [notes]


def tokens_for_forge(release: Release) -> dict[str, Secret]:
    """Return each token for the forge that is to be found here, by where it is."""
    names = dict.fromkeys((release.config.forge.token_env, "GITHUB_TOKEN", "GH_TOKEN"))
    found = {name: token for name in names if (token := release.credentials.token(name))}
    host = urlsplit(release.config.forge.web_url).hostname or ""
    if kept := tools.token_of_gh(host):
        found["gh auth token"] = kept
    return found


def look_at_forge_token(release: Release, where: str, token: Secret) -> list[Findings]:
    """Ask the forge whose a token is, what it may do, and when it ends.

    Raises:
        ServiceError: The forge did not respond.
    """
    config, notes = release.config.forge, Findings("credentials")
    forge = Forge(release.repository, token.reveal(), config.api_url, config.web_url, where)
    try:
        facts = forge.permissions()
        says = forge.settings.token()
    except ReleaserError as error:
        if "HTTP 401" not in error.message:
            raise
        notes.wrong(where, error.message, error.remedy)
        return [notes]
    finally:
        forge.close()
    who = facts.login or "a workflow"
    scopes = f"scopes {', '.join(says.scopes)}" if says.scopes else "no scopes (fine-grained, or a workflow's)"
    text = f"{who} at {release.repository}; {scopes}; {f'ends {says.expires}' if says.expires else 'no end named'}"
    used = "" if where == config.token_env else f"; not used: the release reads {config.token_env}"
    if facts.can_push is False:
        notes.wrong(where, f"{text}; it may not write", "Give it the permission `contents: write`.")
    elif _ends_soon(says.expires):
        notes.warning(where, f"{text}{used}", "Make a new one before it ends.")
    elif facts.can_push is None:
        notes.unproven(where, f"{text}; what it may write is not told{used}")
    else:
        notes.right(where, f"{text}; may write{used}")
    return [notes]


def look_at_chosen(release: Release, found: dict[str, Secret]) -> list[Findings]:
    """Say where a token is if the release looks elsewhere."""
    notes, variable = Findings("credentials"), release.config.forge.token_env
    if found and variable not in found:
        where = ", ".join(found)
        fix = f'Run `export {variable}="$(gh auth token)"`.' if "gh auth token" in found else f"Set {variable} to it."
        notes.wrong(variable, f"it is not set; there is a token in {where}", fix)
    return [notes]


def _ends_soon(text: str) -> bool:
    try:
        end = datetime.strptime(text[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return False
    return end - datetime.now(timezone.utc) < _SOON
