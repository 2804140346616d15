"""How long it takes to ask the world about every step, against an index and a forge on loopback."""

from __future__ import annotations

RUNS = 5
TAGS = 5000


def test_dry_run(figure, pointed, run, invoke, best_of):
    start, whole = best_of(
        RUNS,
        lambda: run([*invoke, "--list"]),
        lambda: run([*invoke, "release", "--version", "0.2.0", "--dry-run"]),
    )
    reference = f"{whole:.2f} s in all, of which invoke --list takes {start:.2f} s; best of {RUNS}"
    figure("invoke release --dry-run after start-up", whole - start, budget=1, unit="s", reference=reference)


def history(first: str) -> str:
    """Commits on top of one, each with an annotated tag, as git fast-import reads them."""
    who = "Somebody <somebody@localhost> 1700000000 +0000"
    parts, parent = [], first
    for number in range(TAGS):
        mark = f":{number + 1}"
        parts.append(f"commit refs/heads/main\nmark {mark}\ncommitter {who}\ndata 1\n.\nfrom {parent}\n")
        parts.append(f"tag v0.0.{number}\nfrom {mark}\ntagger {who}\ndata 1\n.\n")
        parent = mark
    return "".join(parts)


def test_dry_run_among_many_tags(figure, pointed, run, invoke, best_of):
    pointed.git("checkout", "--quiet", "--detach")
    pointed.git("fast-import", "--quiet", given=history(pointed.head()))
    pointed.git("checkout", "--quiet", "main")
    pointed.git("pack-refs", "--all")
    pointed.git("push", "--quiet", "--tags", "origin", "main")
    (whole,) = best_of(RUNS, lambda: run([*invoke, "release", "--version", "0.2.0", "--dry-run"]))
    reference = f"with start-up; the tags are here and at the remote; best of {RUNS}"
    figure(f"invoke release --dry-run among {TAGS} tags", whole, budget=2, unit="s", reference=reference)
