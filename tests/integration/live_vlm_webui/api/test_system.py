from __future__ import annotations

import pytest


async def test_the_machine_is_described(api):
    status, system = await api.ask("GET", "/api/system")
    assert status == 200
    assert system["machine"]["cores"] > 0
    assert system["interval"] == 1.0


async def test_browsers_are_told_each_new_sample(serve):
    api = await serve(monitor_interval=0.25)
    async with api.watch() as events:
        assert (await events.next())["system"]["interval"] == 0.25
        first, second = [await events.until("system") for _ in range(2)]
    assert first["sample"]["at"] < second["sample"]["at"]


async def test_the_interval_can_be_changed_and_is_told(api):
    async with api.watch() as events:
        assert (await api.ask("PATCH", "/api/system", json={"interval": 0.5}))[1]["interval"] == 0.5
        while (await events.until("system"))["interval"] != 0.5:
            pass


@pytest.mark.parametrize(
    "body", [{}, {"interval": 0}, {"interval": "1"}, {"interval": True}, {"interval": 1e300}, {"intervall": 1}]
)
async def test_an_interval_that_is_none_is_refused(api, body):
    status, said = await api.ask("PATCH", "/api/system", json=body)
    assert status == 400
    assert said["error"]["remedy"]
    assert (await api.ask("GET", "/api/system"))[1]["interval"] == 1.0
