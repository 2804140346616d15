"""``python -m live_vlm_webui``: the ``live-vlm-webui`` command."""

from __future__ import annotations

import sys

from live_vlm_webui.cli import main

if __name__ == "__main__":
    sys.exit(main())
