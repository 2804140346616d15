// Whether the server still answers, asked every few seconds while the page is visible.

const EVERY_MS = 5000;
const TIMEOUT_MS = 4000;

/**
 * Ask now and then again for as long as the page is open.
 *
 * @param {(version: string | null) => void} tell called after every answer with the server's version, or null if it is gone.
 */
export function watchServer(tell) {
  let timer;

  async function ask() {
    clearTimeout(timer);
    tell(await serverVersion());
    if (!document.hidden) timer = setTimeout(ask, EVERY_MS);
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden) ask();
  });
  ask();
}

async function serverVersion() {
  try {
    const response = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) return null;
    return (await response.json()).version;
  } catch {
    return null;
  }
}
