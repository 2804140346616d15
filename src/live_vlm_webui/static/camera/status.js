// The state of a source in words.

import { say, translated } from "../common/words.js";

const TRANSPORTS = { webrtc: "camera.over.webrtc", websocket: "camera.over.websocket", stream: "camera.over.stream" };

/** Return the kind of source on the page ("camera", "stream" or "picture") of a server camera. */
export function kindOf(status) {
  return status.kind === "webrtc" || status.kind === "websocket" ? "camera" : status.kind;
}

/** Return whether frames arrive, or did until recently. */
export function isUp(status) {
  return status?.state === "live" || status?.state === "stalled";
}

/** Return the message to show instead of a missing picture. */
export function reason(status) {
  return { message: status.detail || say(`camera.state.${status.state}`) };
}

/**
 * Return one line about the session's source.
 *
 * @param {object | null} status the status of the server's camera.
 * @param {string} label the label of this browser's camera, if it is the source; else "".
 */
export function inWords(status, label) {
  if (!status) return say(label ? "camera.unreceived" : "camera.off");
  const how = TRANSPORTS[status.kind] ? say(TRANSPORTS[status.kind]) : "";
  const size = status.width ? `${status.width} × ${status.height}` : "";
  return [say(`camera.state.${status.state}`), label || status.source, size, how].filter(Boolean).join(" · ");
}

/** Return details: why it is not live, or not WebRTC. */
export function note(status, transport) {
  if (transport.how === "websocket") {
    return say("camera.jpegs", { why: transport.why });
  }
  return status && status.state !== "live" ? translated(status.detail) : "";
}
