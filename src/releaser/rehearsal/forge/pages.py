"""The page on which a person sees what the rehearsal published."""

from __future__ import annotations

from html import escape

from releaser.rehearsal.forge.shapes import Record

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title} - {repository}</title>
<style>body {{ font: 16px/1.5 sans-serif; max-width: 52em; margin: 2em auto }} pre {{ white-space: pre-wrap }}
td {{ padding-right: 2em }}
.mark {{ border: 1px solid; border-radius: 1em; padding: 0 .6em; margin-left: .6em }}</style>
</head><body><p>{repository}, a rehearsal on this machine</p>
<h1>{title}{marks}</h1><p>Tag {tag}, published {published}</p><pre>{text}</pre>
<h2>Assets</h2><table>{assets}</table></body></html>
"""


def release_page(repository: str, release: Record, marks: list[str]) -> str:
    """Return the page of a published release, from its JSON shape; ``marks`` such as "Latest" follow the title."""
    rows = "".join(
        f'<tr><td><a href="{escape(asset["browser_download_url"])}">{escape(asset["name"])}</a></td>'
        f"<td>{asset['size']} bytes</td><td><code>{escape(asset['digest'] or asset['state'])}</code></td></tr>"
        for asset in release["assets"]
    )
    return PAGE.format(
        repository=escape(repository),
        title=escape(release["name"] or release["tag_name"]),
        marks="".join(f'<small class="mark">{escape(mark)}</small>' for mark in marks),
        tag=escape(release["tag_name"]),
        published=escape(release["published_at"]),
        text=escape(release["body"] or ""),
        assets=rows,
    )
