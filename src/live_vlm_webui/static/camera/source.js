// Where the picture comes from: this browser's camera, a stream that the server reads, or one picture.

import { ask } from "../common/api.js";
import { Camera, explain, listCameras, obstacle } from "./camera.js";
import { element, setText } from "../common/dom.js";
import { listenForPictures } from "./picture.js";
import { show, showImage, showVideo, WORDS } from "./stage.js";
import { inWords, isUp, kindOf, note, reason } from "./status.js";
import { Transport } from "./transport.js";

const TAKEN = {
  message: "Another source took the place of this browser's camera.",
  remedy: "Start the camera again to take it back.",
};

/** Controls the source of one session's pictures; `onFailure(failure)` is told what the server refuses. */
export class Source {
  #connection;
  #onFailure;
  #video = element("video");
  #camera;
  #transport;
  #hindrance = obstacle();
  #status = null;
  #picture = null;
  #pictureAddress = "";
  #looks = 0;
  #taken = false; // whether the server has said that this browser's camera is live
  #leaving = false; // whether this browser's camera was taken away, and the server has not said that it is
  #withdrawal = Promise.resolve(); // what asks the server for that

  constructor(connection, onFailure) {
    this.#connection = connection;
    this.#onFailure = onFailure;
    this.#camera = new Camera(this.#video, () => this.#unplugged());
    this.#transport = new Transport(this.#video, connection, {
      onChange: () => this.#tell(),
      onLost: () => (this.#status?.state === "live" ? this.#giveWay() : this.#sendAnew()),
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

  /** The server says how its camera is; null if it has none. `anew`: the session is another one, or was away. */
  apply(status, anew = false) {
    const before = this.#status;
    this.#status = status;
    if (anew || !status || kindOf(status) !== "camera") this.#leaving = false;
    // A preview that ended is asked for again only under another address.
    if (anew || status?.state !== before?.state || status?.source !== before?.source) this.#looks += 1;
    const { how } = this.#transport;
    if (how && anew) {
      if (how === "webrtc" && !(status?.kind === "webrtc" && isUp(status))) this.#sendAnew();
    } else if (how) {
      if (this.#taken && isAnother(status, how)) this.#giveWay();
      else if (status?.kind === how && status.state === "live") this.#taken = true;
    } else if (anew && status) {
      this.choose(kindOf(status));
    } else if (!status && before && element("stage").dataset.state === "on") {
      this.#showNothing(this.kind);
    }
    this.#showRemote();
    this.#tell();
  }

  /** Offer another kind of source; what runs goes on until another is started. */
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
    this.#tell();
  }

  async startCamera() {
    this.#leaving = false;
    show("starting", "Waiting for the camera. If your browser asks, allow it.");
    this.#tell();
    try {
      if (!(await this.#camera.open(element("picker").value))) return;
    } catch (error) {
      if (this.#transport.how) this.#withdraw();
      this.#transport.stop();
      show("failed", explain(error));
      await this.#fillPicker();
      this.#tell();
      return;
    }
    await this.#withdrawal; // or it would take the new one away
    if (!this.#camera.track) return;
    showVideo();
    show("on");
    this.#taken &&= Boolean(this.#transport.how);
    this.#transport.send(this.#camera.track);
    this.#tell();
    await this.#fillPicker();
  }

  stopCamera() {
    const sent = Boolean(this.#transport.how);
    this.#camera.stop();
    this.#transport.stop();
    this.#showNothing("camera");
    if (sent) this.#withdraw();
  }

  async #connectStream() {
    const address = element("address").value.trim();
    if (!address) return;
    this.#leaveCamera();
    show("starting", `Connecting to ${withoutPassword(address)}.`);
    try {
      await ask("PUT", `${this.#path}/camera`, { address }); // how it fares, events tell
      this.#showRemote();
    } catch (failure) {
      show("failed", [failure.message, failure.remedy].join(" "));
    }
    this.#tell();
  }

  async #sendPicture(file) {
    if (!file?.type.startsWith("image/")) {
      this.#onFailure({ message: "That is not a picture.", remedy: "Choose a JPEG, PNG or WebP file." });
      return;
    }
    this.#leaveCamera();
    this.#picture = file;
    this.choose("picture");
    URL.revokeObjectURL(this.#pictureAddress);
    this.#pictureAddress = URL.createObjectURL(file);
    showImage(this.#pictureAddress);
    show("on");
    await this.#askAgain();
  }

  /** Send the picture again: a picture is asked about once. */
  async #askAgain() {
    try {
      await ask("POST", `${this.#path}/picture`, this.#picture);
    } catch (failure) {
      show("failed", [failure.message, failure.remedy].join(" "));
    }
    this.#tell();
  }

  get #path() {
    return `/api/sessions/${encodeURIComponent(this.#connection.session)}`;
  }

  async #disconnect() {
    try {
      await ask("DELETE", `${this.#path}/camera`);
    } catch {
      // The session is gone, and its camera with it.
      this.#leaving = false;
    }
  }

  /** Take this browser's camera away; what the server tells of it until it is gone is no news here. */
  #withdraw() {
    this.#leaving = true;
    this.#withdrawal = this.#disconnect();
  }

  /** Connect this browser's camera again, which the server has not seen live on that connection yet. */
  #sendAnew() {
    this.#taken = false;
    this.#transport.restart();
  }

  /** Another source takes the place of this browser's camera. */
  #leaveCamera() {
    this.#camera.stop();
    this.#transport.stop();
  }

  /** Somebody else's source is the session's now. */
  #giveWay() {
    this.#leaveCamera();
    if (this.#status) this.choose(kindOf(this.#status));
    else this.#showNothing("camera");
    this.#onFailure(TAKEN);
  }

  #unplugged() {
    this.#transport.stop();
    this.#withdraw();
    show("failed", "The camera was disconnected. Connect it, then start again.");
    this.#tell();
  }

  /** Whether there is something to show of `kind`. */
  #isShown(kind) {
    return this.#status !== null && kindOf(this.#status) === kind;
  }

  #showNothing(kind) {
    showVideo();
    const hindrance = kind === "camera" ? this.#hindrance : "";
    show(hindrance ? "failed" : "off", hindrance || WORDS[kind === "camera" ? "off" : kind]);
    this.#tell();
  }

  /** Show what the server sees, where the picture is not this browser's own. */
  #showRemote() {
    const status = this.#status;
    if (!status || this.#leaving || this.#camera.track || kindOf(status) !== this.kind) return;
    if (status.kind === "picture" && this.#pictureAddress) {
      showImage(this.#pictureAddress);
      show("on");
    } else if (isUp(status)) {
      showImage(`${this.#path}/preview?look=${this.#looks}`);
      show("on");
    } else if (status.kind !== "picture") {
      show(status.state === "connecting" ? "starting" : "failed", reason(status));
    }
  }

  /** Say in words how the source is, and set the controls accordingly. */
  #tell() {
    const status = this.#status;
    const sending = Boolean(this.#camera.track);
    const starting = element("stage").dataset.state === "starting" && this.kind === "camera";
    setText(element("toggle"), sending ? "Stop camera" : starting ? "Cancel" : "Start camera");
    element("toggle").disabled = Boolean(this.#hindrance);
    element("play").dataset.state = sending ? "on" : "off";
    setText(element("stream-toggle"), this.#isStreaming ? "Disconnect" : "Connect");
    element("again").disabled = !this.#picture;
    const connecting = this.#transport.how === "connecting";
    setText(element("camera-state"), connecting ? "Connecting over WebRTC" : inWords(status, this.#camera.label));
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
    picker.disabled = false;
  }

  #connect() {
    const stage = element("stage");
    const toggle = () =>
      this.#camera.track || stage.dataset.state === "starting" ? this.stopCamera() : this.startCamera();
    element("toggle").addEventListener("click", toggle);
    element("play").addEventListener("click", toggle);
    element("picker").addEventListener("change", () => this.#camera.track && this.startCamera());
    for (const radio of document.querySelectorAll("input[name=source]")) {
      radio.addEventListener("change", () => this.choose(radio.value));
    }
    element("stream").addEventListener("submit", async (event) => {
      event.preventDefault();
      if (this.#isStreaming) await this.#disconnect();
      else await this.#connectStream();
    });
    element("again").addEventListener("click", () => this.#askAgain());
    listenForPictures((file) => this.#sendPicture(file));
    if (!this.#hindrance) navigator.mediaDevices.addEventListener("devicechange", () => this.#fillPicker());
  }
}

/** Whether the session's camera is not this browser's, which is sent in the way `how` and was live. */
function isAnother(status, how) {
  return status?.kind !== how || (how === "webrtc" && status.state === "connecting");
}

function withoutPassword(address) {
  return address.replace(/\/\/[^/@]*@/, "//");
}
