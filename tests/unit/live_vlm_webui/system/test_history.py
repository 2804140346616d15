from __future__ import annotations

from live_vlm_webui.system.figures import Board, Cpu, Gpu, Memory, Sample
from live_vlm_webui.system.history import History


def sample(second, use, *gpus):
    return Sample(f"2026-01-01T00:00:{second:02}Z", gpus, Cpu(use), Memory(used_bytes=5), Board(power_watts=7.5))


def test_the_oldest_sample_goes_when_a_new_one_comes():
    history = History(3)
    for second in range(5):
        history.append(sample(second, second))
    assert [kept.cpu.use_percent for kept in history] == [2, 3, 4]
    assert history.newest is tuple(history)[-1]


def test_columns_have_a_figure_or_null_for_every_sample():
    history = History(10)
    history.append(sample(0, None))
    history.append(sample(1, 50, Gpu("A", use_percent=30)))
    history.append(sample(2, 60, Gpu("A", power_watts=99.5), Gpu("B", temperature_celsius=40)))
    columns = history.to_json()
    assert columns["cpu_percent"] == [None, 50, 60]
    assert columns["memory_used_bytes"] == [5, 5, 5]
    assert columns["board_watts"] == [7.5, 7.5, 7.5]
    assert [gpu["use_percent"] for gpu in columns["gpus"]] == [[None, 30, None], [None, None, None]]
    assert columns["gpus"][0]["power_watts"] == [None, None, 99.5]
    assert columns["gpus"][1]["temperature_celsius"] == [None, None, 40]


def test_before_the_first_sample_columns_are_empty():
    assert History().to_json() == {
        "at": [], "cpu_percent": [], "memory_used_bytes": [], "board_watts": [], "gpus": []
    }  # fmt: skip
