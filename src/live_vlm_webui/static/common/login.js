// Signing in, where the server asks for it: by a one-time code in the address's fragment, or by the token.

import { ask } from "./api.js";
import { element, setText } from "./dom.js";

/**
 * Make sure that this browser may use the server. Shows the form if it must sign in first.
 *
 * @returns {Promise<boolean>} whether it may now; false if the server does not answer.
 */
export async function signIn() {
  const code = takeCode();
  let error = "";
  if (code) {
    try {
      await ask("POST", "/api/login", { code });
    } catch (failure) {
      error = [failure.message, failure.remedy].join(" ");
    }
  }
  let state;
  try {
    state = await ask("GET", "/api/login");
  } catch {
    return false;
  }
  element("sign-out").hidden = !state.required || !state.signed_in;
  if (!state.required || state.signed_in) return true;
  await form(error);
  element("sign-out").hidden = false;
  return true;
}

/** Forget this browser on the server. */
export async function signOut() {
  await ask("DELETE", "/api/login");
  location.reload();
}

/** The code in the fragment, which is removed: it is not to stay in the history, nor to be shared with the address. */
function takeCode() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const code = fragment.get("code");
  if (code === null) return "";
  fragment.delete("code");
  const rest = fragment.toString();
  history.replaceState(history.state, "", location.pathname + location.search + (rest && `#${rest}`));
  return code;
}

/** Show the form until the token was right. */
function form(error) {
  const shown = element("login");
  const told = (text) => {
    element("login-error").hidden = !text;
    setText(element("login-error"), text);
  };
  element("main").hidden = true;
  shown.hidden = false;
  setText(element("connection-text"), "Not signed in");
  told(error);
  element("token").focus();
  return new Promise((resolve) => {
    shown.addEventListener("submit", async function submit(event) {
      event.preventDefault();
      try {
        await ask("POST", "/api/login", { token: element("token").value.trim() });
      } catch (failure) {
        told([failure.message, failure.remedy].join(" "));
        return;
      } finally {
        element("token").value = "";
      }
      shown.removeEventListener("submit", submit);
      shown.hidden = true;
      element("main").hidden = false;
      resolve();
    });
  });
}
