from __future__ import annotations

from dataclasses import replace

from live_vlm_webui.doctor.findings import servers
from live_vlm_webui.server.pid_file import kept, this_process


def test_a_server_whose_url_is_damaged_does_not_hide_the_others(tmp_path):
    damaged = this_process("127.0.0.1", 1, "nowhere", "0.1.0")
    other = replace(damaged, port=9, url="http://127.0.0.1:9/")
    with kept(tmp_path, damaged), kept(tmp_path, other):
        told = servers({"LIVE_VLM_DATA": str(tmp_path)})
    assert list(told) == ["nowhere", "http://127.0.0.1:9/"]
    assert all("does not respond" in str(state) for state in told.values())
