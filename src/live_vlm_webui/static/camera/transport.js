// Sends the camera's picture to the server: over WebRTC if it connects, else as JPEGs over the WebSocket.

import { Failure, fault, sentence } from "../common/api.js";
import { JpegSender } from "./push.js";
import { nextTurn } from "./turns.js";
import { WebRtcSender } from "./webrtc.js";

const AGAIN_MS = 2000;
const REFUSALS = new Set([401, 403, 404, 409, 429]); // errors that JPEGs would cause as well

/**
 * Sends the picture of this browser's camera to the session.
 *
 * `how` is "", "connecting", "webrtc" or "websocket"; `why` is the reason if it is not WebRTC. `onChange()` is called when
 * they change, `onLost()` when an established WebRTC connection breaks, `onRefusal(failure)` if the server rejects it.
 */
export class Transport {
  #connection;
  #handlers;
  #webrtc = null;
  #jpegs;
  #track = null;
  #timer = 0;
  how = "";
  #why = null;

  constructor(video, connection, handlers) {
    this.#connection = connection;
    this.#handlers = handlers;
    this.#jpegs = new JpegSender(video, connection);
  }

  /** Send `track` instead of any other. */
  send(track) {
    this.#track = track;
    if (this.how === "webrtc") this.#webrtc.replace(track);
    else if (!this.how) this.#connect();
    // JPEGs show the video element; a pending connection uses the newest track when it is established.
  }

  /** Reconnect, because the session has changed or was unreachable. */
  restart() {
    const track = this.#track;
    this.stop();
    if (track) this.send(track);
  }

  stop() {
    this.#track = null;
    clearTimeout(this.#timer);
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
      await sender.start(this.#connection.session, track, nextTurn());
    } catch (error) {
      if (this.#webrtc !== sender) return; // stopped in the meantime
      if (error instanceof Failure && error.status === 0) {
        this.#timer = setTimeout(() => this.#connect(), AGAIN_MS); // the server does not respond
      } else if (error instanceof Failure && REFUSALS.has(error.status)) {
        this.stop();
        this.#handlers.onRefusal(error);
      } else {
        this.#jpegs.start();
        this.#become("websocket", error instanceof Failure ? error : fault("webrtc.failed"));
      }
      return;
    }
    if (this.#webrtc !== sender) return; // see above
    if (track !== this.#track) sender.replace(this.#track);
    this.#become("webrtc");
  }

  get why() {
    return this.#why ? sentence(this.#why.message) : "";
  }

  #become(how, why = null) {
    this.how = how;
    this.#why = why;
    this.#handlers.onChange();
  }
}
