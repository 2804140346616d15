// The source of pictures: this browser's camera, a stream that the server reads, or an uploaded picture.

import { ask, fault, local } from "../common/api.js";
import { Camera, explain, listCameras, obstacle } from "./camera.js";
import { element, setText } from "../common/dom.js";
import { listenForPictures } from "./picture.js";
import { redrawMessage, show, showImage, showVideo } from "./stage.js";
import { inWords, isUp, kindOf, note, reason } from "./status.js";
import { say, tell } from "../common/words.js";
import { Transport } from "./transport.js";
import { isLast, nextTurn } from "./turns.js";

const TAKEN = fault("fault.replaced");

const GONE = 404; // the session, with its camera
const TELL_MS = 1500; // how long the event that another source has replaced the camera may take

/**
 * Controls the source of a session's pictures; `onFailure(failure)` is called when the server rejects something, and
 * `onStart()` when the user starts a source, from when on an earlier failure is of no interest.
 */
export class Source {
  #connection;
  #onFailure;
  #onStart;
  #video = element("video");
  #camera;
  #transport;
  #hindrance = obstacle();
  #status = null;
  #address = ""; // of the stream that this page has connected
  #tried = ""; // of the stream that this page has connected, or could not
  #picture = null;
  #pictureAddress = "";
  #looks = 0;
  #taken = false; // whether the server has reported this browser's camera as live
  #leaving = false; // whether this browser's camera is being removed, and the server has not confirmed it
  #isConnected = false;

  constructor(connection, onFailure, onStart) {
    this.#connection = connection;
    this.#onFailure = onFailure;
    this.#onStart = onStart;
    this.#camera = new Camera(this.#video, () => this.#unplugged());
    this.#transport = new Transport(this.#video, connection, {
      onChange: () => this.#update(),
      onLost: () => this.#reconnectUnlessReplaced(),
      onRefusal: (failure) => {
        this.stopCamera();
        this.#onFailure(failure);
      },
    });
    this.#connect();
    this.choose(this.kind);
  }

  /** "camera", "stream" or "picture": what the page offers now. */
  get kind() {
    return document.querySelector("input[name=source]:checked").value;
  }

  /** Apply the status of the server's camera, or null; `isNewState` if the session has changed or was unreachable. */
  apply(status, isNewState = false) {
    const before = this.#status;
    this.#status = status;
    if (isNewState || !status || kindOf(status) !== "camera") this.#leaving = false;
    // Browsers reload an ended preview only from another URL.
    if (isNewState || status?.state !== before?.state || status?.source !== before?.source) this.#looks += 1;
    const { how } = this.#transport;
    if (how && isNewState) {
      if (how === "webrtc" && !(status?.kind === "webrtc" && isUp(status))) this.#reconnect();
    } else if (how) {
      if (this.#taken && isAnother(status, how)) this.#giveWay();
      else if (status?.kind === how && status.state === "live") this.#taken = true;
    } else if (isNewState && status) {
      this.choose(kindOf(status));
    } else if (!status && before && element("stage").dataset.state === "on") {
      this.#showNothing(this.kind);
    }
    this.#showRemote();
    this.#update();
  }

  /** Show whether there is a connection to the server. */
  connected(isConnected) {
    this.#isConnected = isConnected;
    if (!isConnected && element("stage").dataset.shows === "image" && this.kind === "stream") {
      show("starting", () => ({ message: say("camera.waiting-for-server") }));
    }
    this.#update();
  }

  /** Start again, in a new session, what this page had started. A browser's camera is sent again by `apply`. */
  restore() {
    if (this.#status || this.#camera.track) return;
    if (this.kind === "stream" && this.#address) this.#connectStream(this.#address);
    else if (this.kind === "picture" && this.#picture) this.#askAgain();
  }

  /** Show another kind of source; the running one continues until another is started. */
  choose(kind) {
    element("stage").dataset.source = kind;
    for (const radio of document.querySelectorAll("input[name=source]")) radio.checked = radio.value === kind;
    for (const tools of document.querySelectorAll("[data-source].tools")) tools.hidden = tools.dataset.source !== kind;
    if (kind === "camera" && this.#camera.track) {
      showVideo();
      show("on");
    } else if (!this.#isShown(kind)) {
      this.#showNothing(kind);
    }
    this.#showRemote();
    this.#update();
  }

  async startCamera() {
    this.#onStart();
    this.#leaving = false;
    show("starting", () => fault("camera.waiting"));
    const opened = this.#camera.open(element("picker").value);
    this.#update();
    try {
      if (!(await opened)) return;
      this.#taken &&= Boolean(this.#transport.how);
      this.#transport.send(this.#camera.track); // it connects while the video starts to play
      if (!(await this.#camera.shown())) return;
    } catch (error) {
      if (this.#transport.how) this.#withdraw();
      this.#transport.stop();
      show("failed", () => explain(error));
      await this.#fillPicker();
      this.#update();
      return;
    }
    showVideo();
    show("on");
    this.#update();
    await this.#fillPicker();
  }

  stopCamera() {
    const sent = Boolean(this.#transport.how);
    this.#camera.stop();
    this.#transport.stop();
    this.#showNothing("camera");
    if (sent) this.#withdraw();
  }

  async #connectStream(address) {
    if (!address) return;
    this.#tried = address;
    this.#onStart();
    this.#leaveCamera();
    show("starting", () => ({ message: say("stream.connecting", { address: withoutPassword(address) }) }));
    const turn = nextTurn();
    try {
      await ask("PUT", `${this.#path}/camera?turn=${turn}`, { address }); // events report its status
      this.#address = address;
      this.#showRemote();
    } catch (failure) {
      if (isLast(turn)) show("failed", () => failure);
    }
    this.#update();
  }

  /** Connect the stream again: the server makes pauses between its own attempts, which grow. */
  async #retryStream() {
    if (this.#status) await this.#disconnect().catch(() => {}); // connecting fails as well, and says so
    await this.#connectStream(this.#tried);
  }

  async #sendPicture(file) {
    if (!file?.type.startsWith("image/")) {
      this.#onFailure(fault("fault.no-picture"));
      return;
    }
    this.#onStart();
    this.#leaveCamera();
    this.#picture = file;
    this.choose("picture");
    URL.revokeObjectURL(this.#pictureAddress);
    this.#pictureAddress = URL.createObjectURL(file);
    showImage(this.#pictureAddress);
    show("on");
    await this.#askAgain();
  }

  /** Send the picture again, since it is asked about only once. */
  async #askAgain() {
    const turn = nextTurn();
    try {
      await ask("POST", `${this.#path}/picture?turn=${turn}`, this.#picture);
    } catch (failure) {
      if (isLast(turn)) show("failed", () => failure); // else another source is shown
    }
    this.#update();
  }

  get #path() {
    return `/api/sessions/${encodeURIComponent(this.#connection.session)}`;
  }

  async #disconnect() {
    try {
      await ask("DELETE", `${this.#path}/camera?turn=${nextTurn()}`);
    } catch (failure) {
      this.#leaving = false;
      if (failure.status !== GONE) throw failure;
    }
  }

  /** Remove this browser's camera; its status is ignored until it is gone. */
  #withdraw() {
    this.#leaving = true;
    this.#disconnect().catch(() => {}); // the camera itself is off, and the server notices that no frames come
  }

  /** Reconnect, unless an event says soon that another source has replaced this browser's camera. */
  #reconnectUnlessReplaced() {
    setTimeout(() => this.#camera.track && this.#transport.how && this.#reconnect(), TELL_MS);
  }

  /** Reconnect this browser's camera, which is not live on the new connection yet. */
  #reconnect() {
    this.#taken = false;
    this.#transport.restart();
  }

  /** Close this browser's camera, because another source replaces it. */
  #leaveCamera() {
    this.#camera.stop();
    this.#transport.stop();
  }

  /** Show the source of another browser, which has replaced this one. */
  #giveWay() {
    this.#leaveCamera();
    if (this.#status) this.choose(kindOf(this.#status));
    else this.#showNothing("camera");
    this.#onFailure(TAKEN);
  }

  #unplugged() {
    this.#transport.stop();
    this.#withdraw();
    show("failed", () => fault("camera.unplugged"));
    this.#update();
  }

  /** Whether the session's source is of `kind`. */
  #isShown(kind) {
    return this.#status !== null && kindOf(this.#status) === kind;
  }

  #showNothing(kind) {
    showVideo();
    const hindrance = kind === "camera" ? this.#hindrance : null;
    show(hindrance ? "failed" : "off", () => hindrance ?? { message: say(`source.${kind}.hint`) });
    this.#update();
  }

  /** Show the server's preview, if the source is not this browser's camera. */
  #showRemote() {
    const status = this.#status;
    if (!status || this.#leaving || this.#camera.isWanted || kindOf(status) !== this.kind) return;
    if (status.kind === "picture" && this.#pictureAddress) {
      showImage(this.#pictureAddress);
      show("on");
    } else if (isUp(status)) {
      showImage(`${local(this.#path)}/preview?look=${this.#looks}`);
      show("on");
    } else if (status.kind !== "picture") {
      show(status.state === "connecting" ? "starting" : "failed", () => reason(status));
    }
  }

  /** Show all in the language of the page. */
  redraw() {
    redrawMessage();
    this.#update();
    if (!this.#hindrance) this.#fillPicker();
  }

  /** Update texts and controls. */
  #update() {
    const status = this.#status;
    const sending = Boolean(this.#camera.track);
    tell(element("toggle"), sending ? "camera.stop" : this.#camera.isWanted ? "cancel" : "camera.start");
    element("toggle").hidden = Boolean(this.#hindrance);
    element("way-again").hidden = this.kind === "stream" ? !this.#tried : Boolean(this.#hindrance);
    element("play").dataset.state = sending ? "on" : "off";
    tell(element("stream-toggle"), this.#isStreaming ? "stream.disconnect" : "stream.connect");
    element("again").hidden = !this.#picture;
    const connecting = this.#transport.how === "connecting";
    const words = connecting ? say("camera.connecting") : inWords(status, this.#camera.label);
    setText(element("camera-state"), this.#isConnected || !status ? words : say("camera.unconnected"));
    const more = note(status, this.#transport);
    element("camera-note").hidden = !more;
    setText(element("camera-note"), more);
  }

  get #isStreaming() {
    return this.#status?.kind === "stream" && this.#status.state !== "ended";
  }

  async #fillPicker() {
    const picker = element("picker");
    const cameras = await listCameras();
    if (cameras.length === 0) return;
    const chosen = this.#camera.deviceId || picker.value;
    picker.replaceChildren(...cameras.map(({ id, label }) => new Option(label, id, false, id === chosen)));
    picker.hidden = cameras.length < 2;
  }

  #connect() {
    const toggle = () => (this.#camera.isWanted ? this.stopCamera() : this.startCamera());
    element("toggle").addEventListener("click", toggle);
    element("play").addEventListener("click", toggle);
    element("picker").addEventListener("change", () => this.#camera.track && this.startCamera());
    for (const radio of document.querySelectorAll("input[name=source]")) {
      radio.addEventListener("change", () => this.choose(radio.value));
    }
    element("stream").addEventListener("submit", async (event) => {
      event.preventDefault();
      if (this.#isStreaming) {
        this.#address = "";
        this.#onStart();
        await this.#disconnect().catch(this.#onFailure);
      } else {
        await this.#connectStream(element("address").value.trim());
      }
    });
    element("again").addEventListener("click", () => this.#askAgain());
    element("way-again").addEventListener("click", () => (this.kind === "stream" ? this.#retryStream() : this.startCamera()));
    element("way-other").addEventListener("click", () => document.querySelector("input[name=source]:checked").focus());
    element("way-picture").addEventListener("click", () => {
      this.choose("picture");
      element("file").click();
    });
    element("way-stream").addEventListener("click", () => {
      this.choose("stream");
      element("address").focus();
    });
    listenForPictures((file) => this.#sendPicture(file));
    if (!this.#hindrance) navigator.mediaDevices.addEventListener("devicechange", () => this.#fillPicker());
  }
}

/** Return whether the session's camera is not this browser's, which is sent by `how` and was live. */
function isAnother(status, how) {
  return status?.kind !== how || (how === "webrtc" && status.state === "connecting");
}

function withoutPassword(address) {
  return address.replace(/\/\/[^/@]*@/, "//");
}
