// The WebSocket of a session: receives events, sends frames, and reconnects by itself.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
const UNKNOWN_SESSION = 4404;

/**
 * The connection to a session.
 *
 * `onEvent(event)` receives each event; `onState(state, code)` receives "connecting", "open" or "lost". `mayOpen()` is
 * awaited before each attempt; if it returns false, the attempt is repeated later.
 */
export class Connection {
  #socket = null;
  #session;
  #wait = FIRST_WAIT_MS;
  #timer = 0;
  #handlers;

  constructor(session, handlers) {
    this.#session = session;
    this.#handlers = handlers;
  }

  /** The id of the session, or "" before the server has sent it. */
  get session() {
    return this.#session;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** The number of bytes waiting to be sent. */
  get waiting() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** Connect, and stay connected. */
  async start() {
    this.#handlers.onState("connecting");
    if (await this.#handlers.mayOpen()) this.#open();
    else this.#lost(0);
  }

  /** Send a JPEG, if connected. */
  push(jpeg) {
    if (this.isOpen) this.#socket.send(jpeg);
  }

  #open() {
    const query = this.#session ? `?session=${encodeURIComponent(this.#session)}` : "";
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws${query}`);
    this.#socket = socket;
    let refusal = null; // an error before the first state is the reason for closing the socket
    let begun = false;
    socket.addEventListener("message", ({ data }) => {
      const event = JSON.parse(data);
      begun ||= event.type === "session";
      if (begun) this.#take(event);
      else refusal = event;
    });
    socket.addEventListener("close", ({ code }) => {
      if (refusal && code !== UNKNOWN_SESSION) this.#handlers.onEvent(refusal);
      this.#lost(code);
    });
  }

  #take(event) {
    if (event.type === "session") {
      this.#session = event.id;
      this.#wait = FIRST_WAIT_MS;
      this.#handlers.onState("open");
    }
    this.#handlers.onEvent(event);
  }

  #lost(code) {
    this.#socket = null;
    if (code === UNKNOWN_SESSION) this.#session = ""; // it ended in the meantime: start a new one
    this.#handlers.onState("lost", code);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.start(), code === UNKNOWN_SESSION ? 0 : this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
  }
}
