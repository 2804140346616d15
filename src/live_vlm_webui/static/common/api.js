// Requests to the server, and its errors.

import { say, translated } from "./words.js";

const TIMEOUT_MS = 30000;
const UPLOAD_MS = 120000; // shorter than the server waits, so that the page says what happened

/** An error of the server: `message` is what happened, without a full stop; `remedy` what to do next. */
export class Failure {
  #error;

  /**
   * @param {{message: string, remedy: string}} error the server's, or a `fault`.
   * @param {number | null} status of the response; 0 if the server did not respond, null if it is no matter of a request.
   */
  constructor(error, status = 0) {
    this.#error = error;
    this.status = status;
  }

  get message() {
    return this.#error.message;
  }

  get remedy() {
    return this.#error.remedy ?? "";
  }
}

/** Return what this page itself has found, in the language at the time of looking: the texts `key` and `key`.remedy. */
export const fault = (key, parameters) => ({
  get message() {
    return say(key, parameters);
  },
  get remedy() {
    return say(`${key}.remedy`, parameters);
  },
});

/** Return a text of the page or the server, translated, with a full stop unless it ends with a punctuation mark. */
export const sentence = (text) => {
  const said = translated(text);
  return /[.?!]$/.test(said) ? said : `${said}.`;
};

/** Return message and remedy of a failure as running text. */
export const sentences = ({ message, remedy }) => [sentence(message), translated(remedy)].filter(Boolean).join(" ");

/** Return a path of the server as an address relative to the page, which a proxy may serve below a sub-path. */
export const local = (path) => path.replace(/^\//, "");

/**
 * Send a request.
 *
 * @param {string} method the HTTP method.
 * @param {string} path the path on this server.
 * @param {object | Blob | undefined} body an object is sent as JSON.
 * @param {AbortSignal | null} signal ends the request early; browsers that cannot join signals wait for the response.
 * @returns {Promise<any>} the JSON response, or null if it has none.
 * @throws {Failure}
 */
export async function ask(method, path, body, signal = null) {
  const isUpload = body instanceof Blob;
  const timeout = AbortSignal.timeout(isUpload ? UPLOAD_MS : TIMEOUT_MS);
  const json = body !== undefined && !isUpload;
  let response;
  try {
    response = await fetch(local(path), {
      method,
      cache: "no-store",
      headers: { Accept: "application/json", ...(json && { "Content-Type": "application/json" }) },
      body: json ? JSON.stringify(body) : body,
      signal: signal && AbortSignal.any ? AbortSignal.any([timeout, signal]) : timeout,
    });
  } catch {
    throw new Failure(isUpload ? fault("fault.upload") : fault("fault.silent"));
  }
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  throw new Failure(answer?.error?.message ? answer.error : fault("fault.status", { status: String(response.status) }), response.status);
}
