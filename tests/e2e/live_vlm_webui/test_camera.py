from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

LOOK_AT_THE_PICTURE = """
() => {
  const video = document.getElementById("video");
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 36 });
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 64, 36);
  const pixels = context.getImageData(0, 0, 64, 36).data;
  let brightest = 0;
  const colours = new Set();
  for (let i = 0; i < pixels.length; i += 4) {
    brightest = Math.max(brightest, pixels[i], pixels[i + 1], pixels[i + 2]);
    colours.add(`${pixels[i] >> 5},${pixels[i + 1] >> 5},${pixels[i + 2] >> 5}`);
  }
  const { videoWidth: width, videoHeight: height, currentTime: time } = video;
  return { width, height, time, brightest, colours: colours.size };
}
"""
NO_WEBRTC = "RTCPeerConnection.prototype.setRemoteDescription = async () => {};"

STAGES_SHOWN = """
  window.stages = [];
  const note = () => {
    const now = document.getElementById("stage")?.dataset.state;
    if (now && window.stages.at(-1) !== now) window.stages.push(now);
  };
  new MutationObserver(note).observe(document, { subtree: true, childList: true, attributes: true });
"""
OFFER = """
async (session) => {
  const peer = (window.peer = new RTCPeerConnection());
  peer.addTransceiver("video", { direction: "sendonly" });
  await peer.setLocalDescription(await peer.createOffer());
  return { session, type: "offer", sdp: peer.localDescription.sdp };
}
"""


def test_the_camera_shows_a_live_picture_until_it_is_stopped(visit, url):
    tab = visit()
    tab.start_camera()
    first = tab.page.evaluate(LOOK_AT_THE_PICTURE)  # it plays
    tab.until(f"document.getElementById('video').currentTime > {first['time'] + 0.5}")
    assert (first["width"], first["height"]) == (1280, 720)
    assert first["brightest"] > 64
    assert first["colours"] > 1

    tab.page.evaluate("() => { window.track = document.getElementById('video').srcObject.getVideoTracks()[0]; }")
    tab.button("Stop camera").click()
    tab.until_is("window.track.readyState", "ended")
    tab.until_is("document.getElementById('video').srcObject", None)
    tab.until_text("camera-state", "Off")
    assert tab.complaints == []
    assert tab.hosts == {urlsplit(url).netloc}


def test_an_offer_that_arrives_after_the_camera_was_stopped_does_not_bring_it_back(visit, url):
    tab = visit()
    held = tab.hold("**/offer", "POST")
    tab.button("Start camera").click()
    tab.until_text("camera-state", "Connecting")
    tab.until_held(held)
    with tab.page.expect_response(lambda response: response.request.method == "DELETE"):
        tab.button("Stop camera").click()
    offer = held[0].request.post_data_json
    client = tab.page.context.request
    late = client.post(f"{url}offer", data=offer)
    assert (late.status, "came late" in late.text()) == (409, True)
    assert client.get(f"{url}api/sessions/{offer['session']}").json()["camera"] is None
    tab.page.unroute("**/offer")
    tab.start_camera()
    tab.until_text("camera-state", "Live")
    assert tab.complaints == []


@pytest.mark.release
def test_the_picture_is_sent_over_webrtc_and_the_page_says_so(visit):
    tab = visit()
    tab.start_camera()
    tab.until_text("camera-state", "WebRTC")
    tab.until_text("camera-state", "Live")
    tab.expect("camera-note").to_be_hidden()


@pytest.mark.release
def test_where_webrtc_does_not_connect_jpegs_are_sent_and_the_page_says_why(visit, models):
    tab = visit(script=NO_WEBRTC)
    tab.start_camera()
    tab.until_text("camera-state", "JPEGs")
    tab.until_text("camera-state", "1280 × 720")
    tab.until_text("camera-note", "No network path to the server was found.")
    tab.until_text("text", "a cup of coffee")
    assert models.questions
    tab.button("Stop camera").click()
    tab.until_text("camera-state", "Off")
    tab.expect("camera-note").to_be_hidden()
    assert tab.complaints == []


def test_a_browser_without_webrtc_sends_jpegs_at_once(visit):
    tab = visit(script="delete window.RTCPeerConnection;")
    tab.start_camera()
    tab.until_text("camera-state", "JPEGs")
    tab.until_text("camera-note", "This browser does not support WebRTC.")
    tab.until_text("text", "a cup of coffee")


def test_the_picker_switches_the_camera_while_it_runs(launch, visit):
    tab = visit(launch("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=device-count=2"))
    tab.expect("picker").to_be_hidden()
    tab.start_camera()
    tab.until_text("camera-state", "Live")
    options = tab.page.locator("#picker option")
    tab.expect(options).to_have_count(2)
    other = options.nth(1).inner_text()
    tab.expect("camera-state").not_to_contain_text(other)
    tab.page.get_by_label("Camera to use").select_option(label=other)
    tab.until_text("camera-state", other)
    tab.until_text("camera-state", "Live")
    tab.expect("stage").to_have_attribute("data-state", "on")
    assert tab.complaints == []


def test_mirroring_turns_the_picture_round_and_is_remembered(visit):
    tab = visit()
    tab.expect(tab.button("Mirror")).to_be_hidden()
    tab.start_camera()
    tab.button("Mirror").click()
    tab.page.reload()
    tab.connected().start_camera()
    tab.expect(tab.button("Mirror")).to_have_attribute("aria-pressed", "true")
    tab.expect("video").to_have_css("transform", "matrix(-1, 0, 0, 1, 0, 0)")
    tab.button("Mirror").click()
    tab.expect("video").to_have_css("transform", "none")


def test_while_the_camera_of_the_page_before_still_connects_the_button_starts_this_one(visit, url):
    tab = visit(script=STAGES_SHOWN, notes=["toggle"])
    session = tab.page.evaluate("() => sessionStorage.getItem('session')")
    offer = tab.page.evaluate(OFFER, session)  # never connects: the answer is not applied
    assert tab.page.context.request.post(f"{url}offer", data=offer).ok
    tab.until("window.stages.includes('starting')")
    assert set(tab.page.evaluate("() => window.texts.toggle")) == {"Start camera"}
    tab.start_camera()
    tab.until_text("camera-state", "Live")
    assert tab.complaints == []


def test_fullscreen_shows_the_picture_with_the_answer_over_it(visit):
    tab = visit()
    tab.expect(tab.button("Fullscreen")).to_be_hidden()
    tab.start_camera()
    tab.until_text("text", "a cup of coffee")
    tab.expect("caption").to_be_hidden()
    tab.button("Fullscreen").click()
    tab.until("document.fullscreenElement?.id === 'stage'")
    tab.until_text("caption", "cup")
    tab.expect("caption").to_be_visible()
    tab["stage"].get_by_role("button", name="Mirror").click()
    tab.expect("stage").to_have_class(re.compile(r"\bmirrored\b"))
    tab.button("Exit fullscreen").click()
    tab.until("document.fullscreenElement === null")
    tab.expect(tab.button("Exit fullscreen")).to_be_hidden()
    assert tab.complaints == []


def test_the_button_on_the_picture_starts_and_stops_too(visit):
    tab = visit()
    tab["stage"].hover()
    tab["play"].click()
    tab.page.wait_for_selector("#stage[data-state=on]")
    tab["play"].click()
    tab.page.wait_for_selector("#stage[data-state=off]")


@pytest.mark.parametrize(
    ("switches", "told"),
    [
        (
            ["--use-fake-device-for-media-stream=device-count=0", "--use-fake-ui-for-media-stream"],
            "No camera found",
        ),
        (["--use-fake-device-for-media-stream", "--deny-permission-prompts"], "The browser did not allow the camera"),
    ],
    ids=["no camera", "permission denied"],
)
def test_a_camera_that_cannot_be_had_is_told_in_words(launch, visit, switches, told):
    tab = visit(launch(*switches))
    tab.button("Start camera").click()
    tab.page.wait_for_selector("#stage[data-state=failed]")
    tab.until_text("message", told)
    tab.expect(tab.button("Start camera")).to_be_enabled()
    assert tab.complaints == []


def test_an_insecure_address_is_told_before_anybody_tries(visit):
    tab = visit(script="Object.defineProperty(window, 'isSecureContext', { value: false });")
    tab.until_text("message", "over HTTPS")
    tab.until_text("todo", "https://")
    tab.expect("toggle").to_be_hidden()


def test_a_camera_that_is_unplugged_is_told(visit):
    tab = visit()
    tab.start_camera()
    tab.until_text("camera-state", "Live")
    tab.page.evaluate(
        "() => document.getElementById('video').srcObject.getVideoTracks()[0].dispatchEvent(new Event('ended'))"
    )
    tab.until_text("camera-state", "Off")
    tab.until_text("message", "The camera was disconnected")
    tab.start_camera()
    tab.until_text("camera-state", "Live")
    assert tab.complaints == []


SLOW_TO_DISCONNECT = """
  const plain = window.fetch.bind(window);
  window.fetch = async (where, how) => {
    if (how?.method === "DELETE") await new Promise((go) => setTimeout(go, 1500));
    const answer = await plain(where, how);
    window.disconnected ||= how?.method === "DELETE";
    return answer;
  };
"""


def test_a_stopped_camera_stays_off_although_the_server_tells_its_end_first(visit):
    tab = visit(script=SLOW_TO_DISCONNECT + STAGES_SHOWN, notes=["camera-state"])
    tab.start_camera()
    tab.until_text("camera-state", "Live")
    tab.button("Stop camera").click()
    tab.until_noted("camera-state", "^Ended")
    tab.until_text("camera-state", "Off")
    tab.until_is("window.stages", ["off", "starting", "on", "off"])
    assert tab.complaints == []


def test_a_camera_that_is_started_again_at_once_is_not_taken_away_by_its_stop(visit):
    tab = visit(script=SLOW_TO_DISCONNECT + STAGES_SHOWN)
    tab.start_camera()
    tab.until_text("camera-state", "Live")
    tab.button("Stop camera").click()
    tab.button("Start camera").click()
    tab.until("window.disconnected")  # as the stop had asked, too late
    tab.until_session("camera?.state", "live")
    tab.until_text("camera-state", "Live")
    tab.until_is("window.stages", ["off", "starting", "on", "off", "starting", "on"])
    assert tab.complaints == []


def test_cancelling_while_the_browser_asks_leaves_the_camera_off(visit):
    slow = """
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        await new Promise((allow) => { window.allow = allow; });
        window.opened = await open(wanted);
        return window.opened;
      };
    """
    tab = visit(script=slow)
    tab.button("Start camera").click()
    tab.button("Cancel").click()
    tab.page.evaluate("() => window.allow()")
    tab.until("window.opened?.getVideoTracks()[0].readyState === 'ended'")
    tab.expect("stage").to_have_attribute("data-state", "off")
    tab.expect("camera-state").to_have_text("Off")


def test_a_second_browser_that_watches_the_session_sees_its_picture_and_answers(visit):
    tab = visit()
    tab.start_camera()
    tab.until_text("text", "a cup of coffee")
    session = tab.page.evaluate("() => sessionStorage.getItem('session')")
    other = visit(fragment=f"#session={session}")
    other.until("document.getElementById('preview').naturalWidth > 0")
    other.expect("stage").to_have_attribute("data-state", "on")
    other.until_text("text", "a cup of coffee")
    assert other.complaints == []

    other.start_camera()
    tab.until_text("notices", "Another source replaced")
    tab.until_is("document.getElementById('video').srcObject", None)
    other.until_text("camera-state", "Live")
    assert tab.complaints == []


WATCH_PEERS = """
window.peers = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...settings) { super(...settings); peers.push(this); }
};
"""
SENDER = "peers.at(-1).getSenders()[0]"


def test_a_slow_network_costs_frames_and_not_their_size(visit):
    tab = visit(script=WATCH_PEERS)
    tab.start_camera()
    tab.until(f"peers.length === 1 && {SENDER}.getParameters().encodings[0].maxBitrate > 0")
    assert tab.page.evaluate(f"() => {SENDER}.getParameters().degradationPreference") == "maintain-resolution"
    assert tab.page.evaluate(f"() => {SENDER}.track.contentHint") == "detail"
    # Far too little for 1280x720 at 30 frames a second.
    tab.page.evaluate(
        f"async () => {{ const one = {SENDER}.getParameters(); one.encodings[0].maxBitrate = 150000;"
        f" await {SENDER}.setParameters(one); }}"
    )
    stats = f"[...(await {SENDER}.getStats()).values()].find((one) => one.type === 'outbound-rtp')"
    began = tab.page.evaluate(f"async () => {stats}.framesEncoded")
    tab.until(f"(async () => {stats}.framesEncoded > {began} + 40)()")
    assert tab.page.evaluate(f"async () => [{stats}.frameWidth, {stats}.frameHeight]") == [1280, 720]
    tab.until_text("camera-state", "1280")
    assert tab.complaints == []
