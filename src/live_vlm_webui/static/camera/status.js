// How a source fares, in words.

const STATES = { connecting: "Connecting", live: "Live", stalled: "No frames", lost: "Lost", ended: "Ended" };
const TRANSPORTS = { webrtc: "WebRTC", websocket: "JPEGs", stream: "read by the server", picture: "" };

/** The kind of source on the page ("camera", "stream" or "picture") that a camera of the server belongs to. */
export function kindOf(status) {
  return status.kind === "webrtc" || status.kind === "websocket" ? "camera" : status.kind;
}

/** Whether frames come, or came until just now. */
export function isUp(status) {
  return status?.state === "live" || status?.state === "stalled";
}

/** What to show in place of a picture that does not come. */
export function reason(status) {
  return status.detail || STATES[status.state];
}

/**
 * One line about the session's source.
 *
 * @param {object | null} status of the server's camera.
 * @param {string} label of this browser's camera, if it is that; else "".
 */
export function inWords(status, label) {
  if (!status) return label ? "Not received by the server yet" : "Off";
  const size = status.width ? `${status.width} × ${status.height}` : "";
  return [STATES[status.state], label || status.source, size, TRANSPORTS[status.kind]].filter(Boolean).join(" · ");
}

/** More than fits in that line: why it is not live, or not WebRTC. */
export function note(status, transport) {
  if (transport.how === "websocket") {
    return `WebRTC did not connect, so the picture is sent as JPEGs over the WebSocket. ${transport.why}`;
  }
  return status && status.state !== "live" ? status.detail : "";
}
