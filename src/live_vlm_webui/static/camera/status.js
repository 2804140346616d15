// The state of a source in words.

const STATES = { connecting: "Connecting", live: "Live", stalled: "No frames", lost: "Lost", ended: "Ended" };
const TRANSPORTS = { webrtc: "WebRTC", websocket: "JPEGs", stream: "read by the server", picture: "" };

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
  return status.detail || STATES[status.state];
}

/**
 * Return one line about the session's source.
 *
 * @param {object | null} status the status of the server's camera.
 * @param {string} label the label of this browser's camera, if it is the source; else "".
 */
export function inWords(status, label) {
  if (!status) return label ? "Not received by the server yet" : "Off";
  const size = status.width ? `${status.width} × ${status.height}` : "";
  return [STATES[status.state], label || status.source, size, TRANSPORTS[status.kind]].filter(Boolean).join(" · ");
}

/** Return details: why it is not live, or not WebRTC. */
export function note(status, transport) {
  if (transport.how === "websocket") {
    return `WebRTC did not connect; the picture is sent as JPEGs over the WebSocket. ${transport.why}`;
  }
  return status && status.state !== "live" ? status.detail : "";
}
