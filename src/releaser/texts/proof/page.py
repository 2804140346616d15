"""The page that shows a proof: one HTML file that asks for nothing, runs nothing and escapes what it shows."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from releaser.texts.proof.timeline import in_words, timeline

_STYLE = Path(__file__).with_name("page.css").read_text("utf-8")
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STATES = {
    "same": ("right", "same bytes"),
    "other": ("wrong", "OTHER BYTES"),
    "absent": ("doubt", "not there"),
    "unknown": ("doubt", "not asked, or it does not tell"),
}
_PLACES = {"release": "the release"}


def compose(claims: dict[str, Any], last: str, document: str) -> bytes:
    """Return the page.

    Args:
        claims: What the document claims.
        last: The hash of the journal's last line.
        document: The name of the document that the page shows.
    """
    name = f"{claims['distribution']} {claims['version']}"
    parts = [
        f"<h1>{escape(name)}</h1>",
        f'<p class="quiet">The record of its release, made {_moment(claims["made_at"])}</p>',
        _verdict(claims),
        _facts(claims),
        "<h2>Files</h2>",
        *(_file(one) for one in claims["files"]),
        *_images(claims["images"]),
        "<h2>What was tested</h2>",
        _tests(claims["tests"]),
        *_workflows(claims["workflows"]),
        *_left_out(claims["left_out"]),
        "<h2>Steps over time</h2>",
        _runs(claims["runs"]),
        timeline(claims["runs"]),
        "<h2>Release notes</h2>",
        f"<pre>{escape(claims['notes'].strip())}</pre>",
        "<h2>Made with</h2>",
        f"<p>{escape(', '.join(' '.join((one['name'], one['version'])) for one in claims['tools']))}</p>",
        f'<p class="quiet">{escape(claims["platform"])}</p>',
        "<h2>Check it yourself</h2>",
        f"<p>The last hash of the journal is <code>{last}</code>. Compare it with the one in the release's notes: a "
        "record without a signature proves nothing by itself.</p>",
        f"<p>Get <code>prove.py</code> from the repository of the release engine (it needs Python and nothing else), "
        f"and the files; then run</p><pre>python prove.py {escape(document)} --files DIR --last-hash {last}</pre>",
    ]
    html = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(name)}: record of its release</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )
    return html.encode("utf-8", "backslashreplace")


def _moment(at: str) -> str:
    return escape(f"{at[:16].replace('T', ' ')} UTC")


def _verdict(claims: dict[str, Any]) -> str:
    states = [(file["name"], there) for file in claims["files"] for there in file["elsewhere"]]
    other = sorted({name for name, there in states if there["state"] == "other"})
    unsure = sorted({name for name, there in states if there["state"] in ("absent", "unknown")})
    if other:
        return f'<p class="verdict wrong"><span>Other bytes than were built: {escape(", ".join(other))}</span></p>'
    if unsure or claims["not_asked"]:
        silent = "".join(f" {one['service']}: {one['reason']}." for one in claims["not_asked"])
        what = f"Not seen everywhere: {', '.join(unsure)}." if unsure else ""
        return f'<p class="verdict doubt"><span>{escape(f"{what}{silent}".strip())}</span></p>'
    places = list(dict.fromkeys(_PLACES.get(there["place"], there["place"]) for _, there in states))
    return (
        f'<p class="verdict right"><span>All {len(claims["files"])} files have the bytes that were built, on '
        f"{escape(' and '.join([', '.join(places[:-1]), places[-1]] if len(places) > 1 else places))}.</span></p>"
    )


def _facts(claims: dict[str, Any]) -> str:
    release, tag = claims["release"], claims["tag"]
    rows = [("Commit", f"<code>{escape(claims['commit'] or 'none')}</code>")]
    if tag:
        kind = "annotated" if tag["annotated"] else "lightweight"
        at = "" if tag["commit"] == claims["commit"] else f", at <code>{escape(tag['commit'])}</code>"
        rows.append(("Tag", f"{escape(tag['name'])}, {kind}{at}"))
    if release:
        kind = "draft" if release["draft"] else "pre-release" if release["prerelease"] else "published"
        rows.append(("Release", f"{escape(release['title'])}, {kind}: {_link(release['url'])}"))
    rows += [(escape(place), _link(url)) for place, url in claims["pages"].items()]
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{text}</dd>' for name, text in rows)}</dl>"


def _link(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        return escape(url)
    return f'<a href="{escape(url)}" rel="noreferrer">{escape(url)}</a>'


def _file(file: dict[str, Any]) -> str:
    cells = []
    for there in file["elsewhere"]:
        kind, words = _STATES[there["state"]]
        more = f" <code>{escape(there['sha256'])}</code>" if there["state"] == "other" else ""
        place = _PLACES.get(there["place"], there["place"])
        cells.append(f'<li>{escape(place)}: <span class="{kind}">{words}</span>{more}</li>')
    return (
        f'<div class="card"><strong>{escape(file["name"])}</strong> <span class="quiet">{file["size"]:,} bytes</span>'
        f'<br><span class="hash">{escape(file["sha256"])}</span><ul>{"".join(cells)}</ul></div>'
    )


def _images(images: list[dict[str, Any]]) -> list[str]:
    cards = []
    for image in images:
        tags = []
        for tag in image["tags"]:
            same = tag["digest"] == image["digest"]
            kind, words = (
                ("right", "this digest") if same else ("wrong", f"points to {tag['digest'] or 'nothing seen'}")
            )
            tags.append(f'<li>{escape(tag["name"])}: <span class="{kind}">{escape(words)}</span></li>')
        where = image["repository"] or "built, not pushed"
        cards.append(
            f'<div class="card"><strong>{escape(image["name"])}</strong> <span class="quiet">{escape(where)}, '
            f'{escape(", ".join(image["platforms"]))}</span><br><span class="hash">{escape(image["digest"])}</span>'
            f"<ul>{''.join(tags)}</ul></div>"
        )
    return ["<h2>Images</h2>", *cards] if cards else []


def _tests(tests: list[dict[str, Any]]) -> str:
    rows = []
    for one in tests:
        kind = {"done": "right", "skipped": "doubt", "warned": "doubt"}.get(one["outcome"], "wrong")
        says = one["says"].splitlines()[0] if one["says"].strip() else ""
        rows.append(
            f"<tr><td>{escape(one['title'])}</td><td>"
            f'<span class="{kind}">{escape(one["outcome"])}</span> <span class="quiet">{escape(says)}</span></td>'
            f'<td class="number">{in_words(one["seconds"])}</td></tr>'
        )
    counted = [one for one in tests if one["passed"] is not None]
    passed, skipped = (sum(one[kind] for one in counted) for kind in ("passed", "skipped"))
    line = f"<p>{passed:,} tests passed, {skipped:,} skipped, in {len(counted)} sessions.</p>" if counted else ""
    head = '<thead><tr><th>trial</th><th>outcome</th><th class="number">time</th></tr></thead>'
    return f'{line}<table class="tests">{head}<tbody>{"".join(rows)}</tbody></table>'


def _workflows(runs: list[dict[str, Any]]) -> list[str]:
    kinds = {"success": "right", "skipped": "doubt", "neutral": "doubt", None: "doubt"}
    parts = []
    for run in runs:
        attempt = f", attempt {run['attempt']}" if run["attempt"] > 1 else ""
        how = run["conclusion"] or run["status"]
        parts.append(f"<p><strong>{escape(run['workflow'])}</strong>: {escape(how)}{attempt}; {_link(run['url'])}</p>")
        rows = []
        for job in run["jobs"]:
            kind, how = kinds.get(job["conclusion"], "wrong"), job["conclusion"] or job["status"]
            rows.append(
                f'<tr><td>{escape(job["name"])}</td><td><span class="{kind}">{escape(how)}</span></td>'
                f'<td class="number">{"" if job["seconds"] is None else in_words(job["seconds"])}</td></tr>'
            )
        head = '<thead><tr><th>job</th><th>outcome</th><th class="number">time</th></tr></thead>'
        parts.append(f'<table class="tests">{head}<tbody>{"".join(rows)}</tbody></table>' if rows else "")
    return ["<h2>What workflows did</h2>", *parts] if parts else []


def _left_out(steps: list[dict[str, str]]) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for one in steps:
        by_reason.setdefault(one["reason"], []).append(one["step"])
    lines = [f"<li><code>{escape(', '.join(names))}</code>: {escape(why)}</li>" for why, names in by_reason.items()]
    return ["<h2>What was not done</h2>", f"<ul>{''.join(lines)}</ul>"] if lines else []


def _runs(runs: list[dict[str, Any]]) -> str:
    lines = [
        f"<li>{_moment(run['begun'])}: <code>{escape(run['command'])}</code>, {escape(run['outcome'])}</li>"
        for run in runs
    ]
    return f"<ol>{''.join(lines)}</ol>"
