from __future__ import annotations

import json
import re

import pytest

MIB = 1024 * 1024
GPUS = [
    {
        "name": "NVIDIA RTX A6000", "integrated": False, "use_percent": 37, "memory_used_bytes": 10_240 * MIB,
        "memory_total_bytes": 49_152 * MIB, "temperature_celsius": 61, "temperature_limit_celsius": 90,
        "power_watts": 187.3, "power_limit_watts": 300.0, "missing": {},
    },
    {
        "name": "NVIDIA GB10", "integrated": True, "use_percent": 5, "memory_used_bytes": None,
        "memory_total_bytes": None, "temperature_celsius": 40, "temperature_limit_celsius": None,
        "power_watts": None, "power_limit_watts": None,
        "missing": {"memory_used_bytes": "The GPU shares the machine's memory.", "power_watts": "Not told."},
    },
]  # fmt: skip


def with_gpus(page):
    """The server's samples, with GPUs that this machine lacks, and a sensor that hangs."""

    def route(socket):
        server = socket.connect_to_server()
        count = 0

        def pass_on(message):
            nonlocal count
            event = json.loads(message)
            sample = event["system"]["sample"] if event["type"] == "session" else event.get("sample")
            if sample:
                count += 1
                sample["gpus"] = [dict(GPUS[0], use_percent=30 + count % 50), GPUS[1]]
                sample["sources"].append({"name": "jetson", "state": "hanging", "reason": "It did not answer."})
            socket.send(json.dumps(event))

        server.on_message(pass_on)

    page.route_web_socket("**/ws*", route)


def gauge(tab, label):
    return tab.page.locator(".gauge").filter(has=tab.page.get_by_text(label, exact=True))


@pytest.mark.release
def test_the_machine_is_shown_with_figures_that_change(visit):
    tab = visit()
    tab["interval"].select_option("0.25")
    tab.until("document.querySelectorAll('.gauge').length >= 2")
    tab.until_text("machine", " cores")
    line = gauge(tab, "CPU").locator(".line")
    tab.until_text("gauges", "%")
    tab.expect(line).to_have_attribute("d", re.compile("^M"))
    tab.expect(line).not_to_have_attribute("d", line.get_attribute("d"))
    tab.expect(gauge(tab, "Memory")).to_contain_text("GB")
    assert tab.complaints == []


def test_the_interval_is_the_servers_and_shows_in_every_browser(visit):
    tab, other = visit(), visit()
    tab["interval"].select_option("0.5")
    other.until("document.getElementById('interval').value === '0.5'")
    tab.page.reload()
    tab.connected()
    tab.expect("interval").to_have_value("0.5")
    tab["interval"].select_option("60")  # none is shown again before the next sample
    other.until("document.getElementById('interval').value === '60'")
    tab.page.route("**/api/system", lambda route: route.abort())
    tab["interval"].select_option("1")
    tab.until_text("notices", "does not respond")
    tab.expect("interval").to_have_value("60")


def test_gpus_are_shown_each_with_its_figures_and_what_is_missing_with_the_reason(visit):
    tab = visit(prepare=with_gpus)
    tab.until_text("gauges", "VRAM 0")
    tab.expect(gauge(tab, "VRAM 0")).to_contain_text("10.0 of 48.0 GB")
    tab.expect(gauge(tab, "GPU 0 temperature")).to_contain_text("61 °C")
    tab.expect(gauge(tab, "GPU 0 temperature")).to_contain_text("limit 90 °C")
    tab.expect(gauge(tab, "GPU 0 power")).to_contain_text("187 W")
    tab.expect(gauge(tab, "GPU 1")).to_contain_text("NVIDIA GB10")
    tab.expect(gauge(tab, "GPU 1 power")).to_have_count(0)  # it shares the machine's supply as it shares its memory
    tab.until_text("sources", "jetson: It did not answer.")
    assert tab.complaints == []


def test_a_machine_without_a_gpu_says_why_none_is_shown(visit):
    tab = visit()
    reason = tab["sources"].filter(has_text="No GPU: ")
    tab.expect(gauge(tab, "GPU").or_(gauge(tab, "GPU 0")).or_(reason)).not_to_have_count(0)
