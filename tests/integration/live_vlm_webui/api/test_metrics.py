from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families


async def figures(api):
    answer = await api.answer("GET", "/metrics")
    families = text_string_to_metric_families(answer.body.decode())
    return {(sample.name, *sorted(sample.labels.values())): sample.value for one in families for sample in one.samples}


async def test_sessions_and_viewers_are_counted_while_they_are_there(api):
    assert (await figures(api))["live_vlm_sessions",] == 0
    async with api.watch() as events:
        session = (await events.next())["id"]
        async with api.watch(session) as other:
            await other.next()
            now = await figures(api)
            assert (now["live_vlm_sessions",], now["live_vlm_viewers",]) == (1, 2)
    await api.ask("DELETE", f"/api/sessions/{session}")
    now = await figures(api)
    assert (now["live_vlm_sessions",], now["live_vlm_viewers",]) == (0, 0)


async def test_there_are_figures_of_the_process_and_latencies_in_seconds(api):
    now = await figures(api)
    assert now["process_resident_memory_bytes",] > 10e6
    for name in ("capture_age", "queue", "encode", "overhead", "first_token", "total"):
        assert now[f"live_vlm_{name}_seconds_count",] == 0


async def test_nothing_that_people_wrote_and_no_session_is_named(api):
    _, made = await api.ask("POST", "/api/sessions", json={"prompt": "Where is Wally?"})
    body = (await api.answer("GET", "/metrics")).body.decode()
    assert made["id"] not in body
    assert "Wally" not in body


async def test_two_applications_in_one_process_count_apart(serve):
    one, other = await serve(), await serve()
    await one.ask("POST", "/api/sessions")
    assert (await figures(one))["live_vlm_sessions",] == 1
    assert (await figures(other))["live_vlm_sessions",] == 0
