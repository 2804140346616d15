// The camera over WebRTC: this browser sends, the server only receives.

import { ask, Failure, fault } from "../common/api.js";

const GATHER_MS = 2000;
const SETTLE_MS = 20; // the addresses of all networks come together; the browser then waits 100 ms for other kinds
const CONNECT_MS = 6000;
const MOST_BITS = 2_500_000; // a second; 1280x720 needs no more

/** WebRTC did not connect, although the server responds; the message has the reason. */
export class NotConnected extends Failure {
  constructor(error) {
    super(error, null);
  }
}

/** A connection that sends a camera's picture to the server. */
export class WebRtcSender {
  #peer = null;
  #sender = null;
  #stopped = new AbortController();
  #onLost;

  /** `onLost()` is called if an established connection breaks. */
  constructor(onLost) {
    this.#onLost = onLost;
  }

  /**
   * Connect and send.
   *
   * @param {string} turn the offer's, see turns.js; taken when the user started the camera.
   * @throws {NotConnected} no connection was established in time.
   * @throws {Failure} the server rejected the offer.
   */
  async start(session, track, turn) {
    if (!window.RTCPeerConnection) throw new NotConnected(fault("webrtc.unsupported"));
    const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.#peer = peer;
    try {
      this.#sender = peer.addTransceiver(detailed(track), { direction: "sendonly" }).sender;
      const found = until(peer, "icecandidate", GATHER_MS, (event) => event?.candidate?.protocol === "udp");
      await peer.setLocalDescription(await peer.createOffer());
      await found;
      // What is not found by now, the server learns from the packets that arrive.
      await until(peer, "icegatheringstatechange", SETTLE_MS, () => peer.iceGatheringState === "complete");
      if (this.#peer !== peer) throw new NotConnected(fault("webrtc.no-path")); // stopped in the meantime
      const { type, sdp } = peer.localDescription;
      const answer = await ask("POST", "/offer", { session, type, sdp, turn }, this.#stopped.signal);
      await peer.setRemoteDescription(answer);
      await until(peer, "connectionstatechange", CONNECT_MS, () => isOver(peer.connectionState));
      if (peer.connectionState !== "connected") throw new NotConnected(fault("webrtc.no-path"));
    } catch (error) {
      this.stop();
      throw error;
    }
    await keepSize(this.#sender);
    peer.addEventListener("connectionstatechange", () => {
      if (peer.connectionState !== "failed") return;
      this.stop();
      this.#onLost();
    });
  }

  /** Send the picture of another camera. */
  async replace(track) {
    await this.#sender?.replaceTrack(detailed(track));
  }

  stop() {
    this.#stopped.abort();
    this.#peer?.close();
    this.#peer = null;
    this.#sender = null;
  }
}

/** Mark a track as one whose details matter more than its motion: models look at single frames. */
function detailed(track) {
  track.contentHint = "detail";
  return track;
}

/** Have the browser send fewer frames rather than smaller ones when the network or the processor is slow. */
async function keepSize(sender) {
  const parameters = sender?.getParameters();
  if (!parameters?.encodings?.length) return;
  parameters.degradationPreference = "maintain-resolution";
  parameters.encodings[0].maxBitrate = MOST_BITS;
  try {
    await sender.setParameters(parameters);
  } catch {
    // This browser cannot, or the connection has just ended: it decides for itself.
  }
}

const isOver = (state) => ["connected", "failed", "closed"].includes(state);

/** Wait until `isSo()` is true, checked at each `event`, at most `ms`. */
function until(peer, event, ms, isSo) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    peer.addEventListener(event, check);
    check();
    function check(happened) {
      if (isSo(happened)) done();
    }
    function done() {
      clearTimeout(timer);
      peer.removeEventListener(event, check);
      resolve();
    }
  });
}
