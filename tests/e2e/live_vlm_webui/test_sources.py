from __future__ import annotations

import base64

import pytest


@pytest.fixture
def film(tmp_path):
    """A video file of four seconds: a red picture that turns blue."""
    av = pytest.importorskip("av")
    import numpy as np

    path = tmp_path / "media" / "red to blue.mp4"
    path.parent.mkdir()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(40):
            colour = (220, 20, 20) if number < 20 else (20, 20, 220)
            picture = np.full((180, 320, 3), colour, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def server(serve, models, film):
    return serve("--api-base", models.api_base, "--media-dir", film.parent)


@pytest.fixture
def jpeg(photograph, tmp_path):
    """A photograph as a file."""
    path = tmp_path / "coffee.jpg"
    film = photograph("coffee").read_bytes()
    path.write_bytes(film[: len(film) // 3])
    return path


def offer(tab, kind):
    tab.page.locator(".segments label", has_text=kind).click()


DROP_BESIDE = """
(picture) => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(atob(picture), (byte) => byte.charCodeAt(0));
  transfer.items.add(new File([bytes], "cup.jpg", { type: "image/jpeg" }));
  for (const type of ["dragover", "drop"]) {
    const event = new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true });
    if (document.querySelector("footer, header").dispatchEvent(event)) return "the browser would open it";
  }
  return "taken";
}
"""


def test_a_picture_dropped_beside_the_stage_is_asked_about_too(visit, jpeg):
    tab = visit()

    assert tab.page.evaluate(DROP_BESIDE, base64.b64encode(jpeg.read_bytes()).decode()) == "taken"
    tab.until_text("text", "cup")
    tab.expect("stage").to_have_attribute("data-source", "picture")


@pytest.mark.release
def test_a_file_on_the_server_is_played_with_its_picture_and_answers_shown(visit, film, models):
    tab = visit()
    offer(tab, "Stream or file")
    tab["address"].fill(str(film))
    tab.button("Connect").click()
    tab.until("document.getElementById('preview').naturalWidth === 320")
    tab.expect("preview").to_be_visible()
    tab.until_text("camera-state", "red to blue.mp4")
    tab.until_text("text", "cup")
    assert models.questions
    tab.button("Disconnect").click()
    tab.until_text("camera-state", "Off")
    tab.expect("preview").to_be_hidden()
    assert tab.complaints == []


def test_a_stream_that_could_not_be_disconnected_is_told_and_disconnected_later(visit, film):
    tab = visit()
    offer(tab, "Stream or file")
    tab["address"].fill(str(film))
    tab.button("Connect").click()
    tab.until("document.getElementById('preview').naturalWidth === 320")
    tab.page.route("**/camera?*", lambda route: route.fulfill(status=502))
    tab.button("Disconnect").click()
    tab.until_text("notices", "The server responded with HTTP 502.")
    tab.expect("preview").to_be_visible()
    tab.page.unroute("**/camera?*")
    tab.button("Disconnect").click()
    tab.until_text("camera-state", "Off")
    tab.expect("notices").to_have_text("")


@pytest.mark.parametrize("address", ["/etc/passwd", "http://example.com/film.mp4", "concat:/etc/passwd", "rtsp://"])
def test_an_address_that_is_not_allowed_is_told_in_words(visit, address):
    tab = visit()
    offer(tab, "Stream or file")
    tab["address"].fill(address)
    tab["address"].press("Enter")
    tab.page.wait_for_selector("#stage[data-state=failed]")
    tab.expect("message").not_to_be_empty()
    tab.expect("message").not_to_contain_text("bug")
    tab.expect("stream-toggle").to_have_text("Connect")


def test_a_camera_that_does_not_answer_is_told_and_its_password_is_not_shown(visit):
    tab = visit()
    offer(tab, "Stream or file")
    tab["address"].fill("rtsp://user:geheim@127.0.0.1:9/stream")
    tab.button("Connect").click()
    tab.page.wait_for_selector("#stage[data-state=failed]")
    tab.until_text("main", "127.0.0.1")
    tab.expect("main").not_to_contain_text("geheim")
    tab.button("Disconnect").click()
    tab.until_text("camera-state", "Off")


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, {"width": 360, "height": 740}])
def test_on_the_stage_of_a_stream_that_fails_it_is_tried_again_or_another_source_chosen(visit, film, viewport):
    tab = visit(viewport=viewport)
    offer(tab, "Stream or file")
    tab.expect(tab.button("Try again")).to_be_hidden()
    away = film.rename(film.with_suffix(".away"))
    tab["address"].fill(str(film))
    tab.button("Connect").click()
    tab.page.wait_for_selector("#stage[data-state=failed]")
    tab.expect("way-picture").to_be_hidden()
    away.rename(film)
    tab["stage"].get_by_role("button", name="Try again").click()
    tab.until_text("camera-state", "Live")
    tab.expect("preview").to_be_visible()

    tab["address"].fill("rtsp://127.0.0.1:9/stream")  # connected, but to nothing that answers
    tab.button("Disconnect").click()
    tab.button("Connect").click()
    tab.page.wait_for_selector("#stage[data-state=failed]")
    tab.until_text("camera-state", "Lost")
    with tab.page.expect_request(lambda request: request.method == "PUT") as asked:
        tab["stage"].get_by_role("button", name="Try again").click()
    assert asked.value.post_data_json == {"address": "rtsp://127.0.0.1:9/stream"}
    tab.until_text("camera-state", "Lost")
    tab.speak("de")
    tab["stage"].get_by_role("button", name="Andere Quelle wählen").click()
    tab.page.keyboard.press("ArrowLeft")
    tab.expect(tab.page.locator("input[value=camera]")).to_be_checked()
    tab.expect("way-other").to_be_hidden()


@pytest.mark.release
def test_a_picture_is_described_and_asked_about_again(visit, jpeg, models):
    tab = visit()
    offer(tab, "Picture")
    tab.expect(tab.button("Ask again")).to_be_hidden()
    tab["file"].set_input_files(jpeg)
    tab.until_text("text", "Answer 1")
    tab.expect("preview").to_be_visible()
    tab.until_is("document.getElementById('preview').naturalWidth", 1280)
    tab.button("Ask again").click()
    tab.until_text("text", "Answer 2")
    assert tab.complaints == []


def test_a_picture_can_be_dropped_on_the_stage(visit, jpeg):
    tab = visit()
    data = tab.page.evaluate_handle(
        """(picture) => {
          const data = new DataTransfer();
          const bytes = Uint8Array.from(atob(picture), (byte) => byte.charCodeAt(0));
          data.items.add(new File([bytes], "dropped.jpg", { type: "image/jpeg" }));
          return data;
        }""",
        base64.b64encode(jpeg.read_bytes()).decode(),
    )
    tab.page.dispatch_event("#stage", "drop", {"dataTransfer": data})
    tab.until_text("text", "Answer 1")
    tab.expect(tab.page.locator("input[value=picture]")).to_be_checked()


def test_a_picture_that_comes_after_the_camera_was_started_is_no_failure_of_the_camera(visit, jpeg):
    tab = visit()
    held = tab.hold("**/picture?*", "POST")
    offer(tab, "Picture")
    tab["file"].set_input_files(jpeg)
    tab.until_held(held)
    offer(tab, "Camera")
    tab.start_camera()
    tab.until_text("camera-state", "Live")
    with tab.page.expect_response("**/picture?*") as answer:
        held[0].continue_()
    assert answer.value.status == 409
    tab.settle()
    tab.expect("stage").to_have_attribute("data-state", "on")
    tab.expect("message").to_have_text("")


LONG_LIMITS_PASS = """
const limit = AbortSignal.timeout.bind(AbortSignal);
AbortSignal.timeout = (ms) => limit(ms > 60000 ? 1 : ms);
"""


def test_a_picture_that_does_not_arrive_in_time_is_told_apart_from_a_silent_server(visit, jpeg):
    tab = visit(script=LONG_LIMITS_PASS)
    tab.page.route("**/picture?*", lambda _: None)  # it takes for ever
    offer(tab, "Picture")
    tab["file"].set_input_files(jpeg)
    tab.page.wait_for_selector("#stage[data-state=failed]")
    tab.expect("message").to_have_text("The picture did not arrive in time")
    tab.expect("todo").to_contain_text("a smaller one")


def test_a_file_that_is_no_picture_is_told(visit, tmp_path):
    tab = visit()
    offer(tab, "Picture")
    (tmp_path / "notes.txt").write_text("no picture")
    tab["file"].set_input_files(tmp_path / "notes.txt")
    tab.until_text("notices", "The file is not a picture.")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    tab["file"].set_input_files(tmp_path / "broken.jpg")
    tab.page.wait_for_selector("#stage[data-state=failed]")
    tab.expect("message").not_to_be_empty()


def test_another_source_takes_the_cameras_place_and_the_camera_goes_out(visit, jpeg):
    tab = visit()
    tab.start_camera()
    tab.until_text("camera-state", "Live")
    tab.page.evaluate("() => { window.track = document.getElementById('video').srcObject.getVideoTracks()[0]; }")
    offer(tab, "Picture")
    tab.until_is("window.track.readyState", "live")  # it goes on until there is a picture
    offer(tab, "Camera")
    tab.expect("stage").to_have_attribute("data-state", "on")
    offer(tab, "Picture")
    tab["file"].set_input_files(jpeg)
    tab.until("window.track.readyState === 'ended'")
    tab.until("document.getElementById('preview').naturalWidth === 1280")
    tab.until_session("camera?.kind", "picture")  # else the camera overtakes it, and the server refuses what comes late
    offer(tab, "Camera")
    tab.start_camera()
    tab.until_text("camera-state", "fake_device_0")
    tab.expect("preview").to_be_hidden()
    assert tab.complaints == []
