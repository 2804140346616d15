from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from live_vlm_webui.api.loading import IMPORTER, Loader

MODULE = """
import threading
ENTERED.append(threading.current_thread().name)
assert len(INSIDE) == 0
INSIDE.append(1)
threading.Event().wait(0.02)
INSIDE.pop()
"""


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Modules that fail if two of them are loaded at a time; the names of the threads that loaded them."""
    import builtins

    entered: list[str] = []
    monkeypatch.setattr(builtins, "ENTERED", entered, raising=False)
    monkeypatch.setattr(builtins, "INSIDE", [], raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    names = [f"heavy_for_a_test_{number}" for number in range(3)]
    for name in names:
        (tmp_path / f"{name}.py").write_text(MODULE)
    yield names, entered
    for name in names:
        sys.modules.pop(name, None)


async def test_modules_are_loaded_one_at_a_time_each_once_and_off_the_loop(modules):
    names, entered = modules
    loader = Loader()
    loaded = await asyncio.gather(*(loader.load(name) for name in [*names, *names]))
    assert [module.__name__ for module in loaded] == [*names, *names]
    assert len(entered) == 3
    assert threading.main_thread().name not in entered


async def test_what_could_not_be_loaded_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    loader = Loader()
    with pytest.raises(ImportError):
        await loader.load("late_for_a_test")
    (tmp_path / "late_for_a_test.py").write_text("")
    import importlib

    importlib.invalidate_caches()
    assert (await loader.load("late_for_a_test")).__name__ == "late_for_a_test"
    sys.modules.pop("late_for_a_test")


async def test_who_waits_no_longer_leaves_the_others_what_they_wait_for(modules):
    names, _ = modules
    loader = Loader()
    impatient = asyncio.create_task(loader.load(names[0]))
    patient = asyncio.create_task(loader.load(names[0]))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).__name__ == names[0]


async def test_what_was_begun_early_is_not_loaded_again_and_its_error_is_that_of_the_load(modules):
    names, entered = modules
    loader = Loader()
    loader.begin(names[0], "no_such_module_for_a_test")
    await loader.load(names[0])
    assert len(entered) == 1
    with pytest.raises(ImportError):
        await loader.load("no_such_module_for_a_test")


async def test_after_a_stop_nothing_is_imported_but_what_is_in_progress(modules):
    names, entered = modules
    others = set(threading.enumerate())
    loader = Loader()
    loader.begin(*names)
    await loader.load(names[0])
    loader.close()
    await loader.begun()
    for thread in set(threading.enumerate()) - others:
        assert thread.name.startswith(IMPORTER)
        thread.join()
    assert len(entered) <= 2
