// Requests to the server.

const TIMEOUT_MS = 30000;

/** What the server refused or could not do: `message` is what happened, `remedy` what to do next. */
export class Failure extends Error {
  constructor(message, remedy, status = 0) {
    super(message);
    this.remedy = remedy;
    this.status = status;
  }
}

/**
 * Ask the server.
 *
 * @param {string} method of HTTP.
 * @param {string} path on this server.
 * @param {object | Blob | undefined} body an object is sent as JSON.
 * @returns {Promise<any>} what it answered, null if nothing.
 * @throws {Failure}
 */
export async function ask(method, path, body) {
  const json = body !== undefined && !(body instanceof Blob);
  let response;
  try {
    response = await fetch(path, {
      method,
      cache: "no-store",
      headers: { Accept: "application/json", ...(json && { "Content-Type": "application/json" }) },
      body: json ? JSON.stringify(body) : body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new Failure("The server does not answer.", "If it was stopped, start live-vlm-webui again.");
  }
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  const { message, remedy } = answer?.error ?? {};
  throw new Failure(message ?? `The server answered ${response.status}.`, remedy ?? "", response.status);
}
