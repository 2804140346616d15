#!/bin/sh
# Run `invoke check` in the project's environment, activated or not, before a commit.
set -eu
cd "$(dirname "$0")/.."

for invoke in .venv/bin/invoke venv/bin/invoke; do
  if [ -x "$invoke" ]; then
    exec "$invoke" check "$@"
  fi
done
if command -v invoke >/dev/null; then
  exec invoke check "$@"
fi
echo "invoke is not installed -> Set the project up first:" >&2
echo "  python3 -m venv .venv && .venv/bin/pip install -e \".[dev]\"" >&2
exit 2
