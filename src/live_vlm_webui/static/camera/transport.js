// How the camera's picture gets to the server: WebRTC where it connects, else JPEGs over the WebSocket.

import { Failure } from "../common/api.js";
import { JpegSender } from "./push.js";
import { NotConnected, WebRtcSender } from "./webrtc.js";

const REFUSALS = new Set([0, 401, 403, 404, 409, 429]); // what JPEGs would meet with too

/**
 * Carries the picture of this browser's camera to the session.
 *
 * `how` is "", "connecting", "webrtc" or "websocket"; `why` says why it is not WebRTC. `onChange()` is called when they
 * change, `onLost()` when WebRTC breaks after it stood, `onRefusal(failure)` if the server does not take the camera.
 */
export class Transport {
  #connection;
  #handlers;
  #webrtc = null;
  #jpegs;
  #track = null;
  how = "";
  why = "";

  constructor(video, connection, handlers) {
    this.#connection = connection;
    this.#handlers = handlers;
    this.#jpegs = new JpegSender(video, connection);
  }

  /** Send `track` from now on, instead of any other. */
  send(track) {
    this.#track = track;
    if (this.how === "webrtc") this.#webrtc.replace(track);
    else if (!this.how) this.#connect();
    // JPEGs are of whatever the video shows; a connection that is being made takes the newest track when it stands.
  }

  /** Connect anew: the session is another one, or was away. */
  restart() {
    const track = this.#track;
    this.stop();
    if (track) this.send(track);
  }

  stop() {
    this.#track = null;
    this.#webrtc?.stop();
    this.#webrtc = null;
    this.#jpegs.stop();
    this.#become("");
  }

  async #connect() {
    const sender = new WebRtcSender(() => this.#handlers.onLost());
    const track = this.#track;
    this.#webrtc = sender;
    this.#become("connecting");
    try {
      await sender.start(this.#connection.session, track);
    } catch (error) {
      if (this.#webrtc !== sender) return; // stopped meanwhile
      if (error instanceof Failure && REFUSALS.has(error.status)) {
        this.stop();
        this.#handlers.onRefusal(error);
      } else {
        const isTold = error instanceof NotConnected || error instanceof Failure;
        this.#jpegs.start();
        this.#become("websocket", isTold ? error.message : "This browser could not set it up.");
      }
      return;
    }
    if (track !== this.#track) sender.replace(this.#track);
    this.#become("webrtc");
  }

  #become(how, why = "") {
    this.how = how;
    this.why = why;
    this.#handlers.onChange();
  }
}
