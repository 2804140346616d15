from __future__ import annotations

import json

import pytest

import live_vlm_webui


@pytest.mark.release
def test_the_page_tells_the_servers_version_and_that_it_is_connected(visit):
    tab = visit()
    tab.expect("version").to_have_text(live_vlm_webui.__version__)
    tab.expect("connection-text").to_have_text("Connected")
    tab.expect(tab.page.locator("#notices .notice")).to_have_count(0)


def test_a_server_that_stops_is_told_and_one_that_is_started_again_is_used_by_itself(serve, models, visit, url, server):
    tab = visit()
    tab.start_camera()
    tab.until_text("text", "cup")
    server.stop()
    tab.page.wait_for_selector("#connection[data-state=lost]")
    tab.until_text("notices", "Start live-vlm-webui again if it was stopped")

    port = url.rstrip("/").rpartition(":")[2]
    serve("--api-base", models.api_base, "--port", port).line()
    tab.connected()
    tab.until_text("camera-state", "Live")
    tab.until_answer(len(models.questions) + 2)
    tab.expect("notices").to_have_text("")


def test_a_reconnection_keeps_earlier_answers_that_the_server_does_not_send_again(visit, models):
    models.behave(text="Again {number}", held_at=0)
    models.behave(text="Answer {number}", times=25, held_at=-1)
    connections = []
    tab = visit(
        prepare=lambda page: page.route_web_socket("**/ws*", lambda it: connections.append(it.connect_to_server()))
    )
    tab.start_camera()
    tab.expect(tab.page.locator("#history .words")).to_have_text([f"Answer {number}" for number in range(25, 0, -1)])
    connections[0].close()
    tab.page.wait_for_selector("#connection[data-state=lost]")
    tab.connected()
    models.release()
    tab.until_text("history", "Again")
    texts = tab.page.locator("#history .words").all_inner_texts()
    assert [text for text in texts if "Answer" in text] == [f"Answer {number}" for number in range(25, 0, -1)]


def test_answers_of_a_new_session_that_came_while_the_page_was_away_follow_those_of_the_session_before(visit):
    shown = visit().page.evaluate(
        """async () => {
          const { History } = await import("/static/answers/history.js");
          const history = new History();
          const answer = (text) => (_, id) => ({
            id, text: `${text} ${id}`, prompt: "What?", model: { name: "m" }, frame: "gone", at: "2026-01-01T00:00:00Z",
          });
          history.reset("first", Array.from({ length: 3 }, answer("Before")));
          history.reset("second", [], true);
          history.reset("second", Array.from({ length: 2 }, answer("After")));
          return [...document.querySelectorAll("#history .words")].map((words) => words.innerText);
        }"""
    )
    assert shown == ["After 1", "After 0", "Before 2", "Before 1", "Before 0"]


def test_a_picture_that_is_replaced_by_the_next_answers_can_still_be_loaded(visit):
    was_revoked = visit().page.evaluate(
        """async () => {
          const { History } = await import("/static/answers/history.js");
          const history = new History();
          const revoked = [];
          URL.revokeObjectURL = (address) => revoked.push(address);
          const answer = (id) => ({
            ...{ id, text: "Same", prompt: "What?", model: { name: "m" } },
            ...{ frame: "static/icon.svg", at: "2026-01-01T00:00:00Z" },
          });
          const shown = () => document.querySelector("#history img").src;
          const other = async (address) => {
            while (["", address].includes(shown())) await new Promise(requestAnimationFrame);
            return shown();
          };
          history.reset("first", [answer(0)]);
          const first = await other("");
          history.reset("first", [answer(1)]);
          await other(first);
          return revoked.includes(first);
        }"""
    )
    assert not was_revoked


def test_the_page_asks_to_be_reloaded_when_another_version_took_over(visit):
    connections = []

    def renumber(socket):
        server = socket.connect_to_server()
        connections.append(server)

        def pass_on(message):
            event = json.loads(message)
            if event["type"] == "session" and len(connections) > 1:
                event["version"] = "99.0.0"
            socket.send(json.dumps(event))

        server.on_message(pass_on)

    tab = visit(prepare=lambda page: page.route_web_socket("**/ws*", renumber))
    tab.expect(tab.page.locator("#notices .notice")).to_have_count(0)
    connections[0].close()
    tab.until_text("version", "99.0.0")
    tab.until_text("notices", "Reload this page")


def test_a_session_that_is_gone_is_replaced_by_a_new_one(visit):
    tab = visit(fragment="#session=nosuchsession")
    tab.until("sessionStorage.getItem('session') !== 'nosuchsession'")
    tab.start_camera()
    tab.until_text("text", "cup")
