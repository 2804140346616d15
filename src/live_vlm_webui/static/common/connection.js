// The WebSocket of a session: receives events, sends frames, and reconnects by itself.

import { ask, Failure, fault, local } from "./api.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
const UNKNOWN_SESSION = 4404;
const LOOK_MS = 1000;
const LEAST_PATIENCE_MS = 8000;
const PATH = "/ws";
const BLOCKED = new Failure(fault("fault.websocket"));

/**
 * The connection to a session.
 *
 * `onEvent(event)` receives each event; `onState(state, code, failure)` receives "connecting", "open" or "lost"; for a
 * WebSocket that never opened, `failure` is the reason, or null if the server does not respond. `mayOpen()` is awaited
 * before each attempt; if it returns false, the attempt is repeated later.
 *
 * A server that hangs, a cut network and a computer that slept close no socket: a connection on which nothing arrives for
 * longer than `expect()` allows counts as lost.
 */
export class Connection {
  #socket = null;
  #session;
  #wait = FIRST_WAIT_MS;
  #timer = 0;
  #heardAt = 0;
  #patience = LEAST_PATIENCE_MS;
  #handlers;

  constructor(session, handlers) {
    this.#session = session;
    this.#handlers = handlers;
    setInterval(() => this.#look(), LOOK_MS);
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

  /** Expect an event every `seconds`. */
  expect(seconds) {
    this.#patience = Math.max(LEAST_PATIENCE_MS, 2500 * seconds);
  }

  /** Send a JPEG, if connected. */
  push(jpeg) {
    if (this.isOpen) this.#socket.send(jpeg);
  }

  #open() {
    const query = this.#session ? `?session=${encodeURIComponent(this.#session)}` : "";
    const socket = new WebSocket(new URL(local(PATH) + query, document.baseURI).href.replace(/^http/, "ws"));
    this.#socket = socket;
    this.#heardAt = performance.now();
    let refusal = null; // an error before the first state is the reason for closing the socket
    let opened = false;
    let begun = false;
    socket.addEventListener("open", () => (opened = true));
    socket.addEventListener("message", ({ data }) => {
      if (this.#socket !== socket) return; // given up
      this.#heardAt = performance.now();
      const event = JSON.parse(data);
      begun ||= event.type === "session";
      if (begun) this.#take(event);
      else refusal = event;
    });
    socket.addEventListener("close", async ({ code }) => {
      if (this.#socket !== socket) return;
      if (refusal && code !== UNKNOWN_SESSION) this.#handlers.onEvent(refusal);
      const why = opened ? null : await this.#obstacle();
      if (this.#socket === socket) this.#lost(code, why); // else it was given up meanwhile
    });
  }

  /** Return why no WebSocket opens, which browsers do not tell; null if the server does not respond. */
  async #obstacle() {
    try {
      await ask("OPTIONS", PATH);
      return BLOCKED;
    } catch (failure) {
      return failure.status ? failure : null;
    }
  }

  /** Give up a connection on which nothing has arrived for too long. */
  #look() {
    const socket = this.#socket;
    if (!socket || performance.now() - this.#heardAt < this.#patience) return;
    this.#lost(0);
    socket.close();
  }

  #take(event) {
    if (event.type === "session") {
      this.#session = event.id;
      this.#wait = FIRST_WAIT_MS;
      this.#handlers.onState("open");
    }
    this.#handlers.onEvent(event);
  }

  #lost(code, failure = null) {
    this.#socket = null;
    if (code === UNKNOWN_SESSION) this.#session = ""; // it ended in the meantime: start a new one
    this.#handlers.onState("lost", code, failure);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.start(), code === UNKNOWN_SESSION ? 0 : this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
  }
}
