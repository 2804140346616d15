"""``live-vlm-webui doctor``: a report for bug reports, without secrets."""
