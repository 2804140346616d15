// Sign in, if the server requires it: with a one-time code in the URL's fragment, or with the token.

import { ask, sentences } from "./api.js";
import { element, setText } from "./dom.js";
import { tell } from "./words.js";

/**
 * Sign this browser in, if required; show the form if there is no valid code.
 *
 * @returns {Promise<boolean>} whether it is signed in; false if the server does not respond.
 */
export async function signIn() {
  const code = takeCode();
  let error = "";
  if (code) {
    try {
      await ask("POST", "/api/login", { code });
    } catch (failure) {
      error = sentences(failure);
    }
  }
  let state;
  try {
    state = await ask("GET", "/api/login");
  } catch {
    return false;
  }
  showIsIn(state.required && state.signed_in);
  if (!state.required || state.signed_in) return true;
  await form(error);
  showIsIn(true);
  return true;
}

/** Show what only who has signed in can do. */
function showIsIn(isIn) {
  element("sign-out").hidden = element("show-code").hidden = !isIn;
}

/** Sign this browser out. */
export async function signOut() {
  await ask("DELETE", "/api/login");
  location.reload();
}

/** Return the code in the fragment, and remove it from the URL and the history. */
function takeCode() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const code = fragment.get("code");
  if (code === null) return "";
  fragment.delete("code");
  const rest = fragment.toString();
  history.replaceState(history.state, "", location.pathname + location.search + (rest && `#${rest}`));
  return code;
}

/** Show the form until the token is right. */
function form(error) {
  const shown = element("login");
  const showError = (text) => {
    element("login-error").hidden = !text;
    setText(element("login-error"), text);
  };
  element("main").hidden = true;
  element("door").hidden = false;
  tell(element("connection-text"), "connection.signed-out");
  showError(error);
  element("token").focus();
  return new Promise((resolve) => {
    shown.addEventListener("submit", async function submit(event) {
      event.preventDefault();
      const token = element("token");
      try {
        await ask("POST", "/api/login", { token: token.value.trim() });
      } catch (failure) {
        showError(sentences(failure));
        if (failure.status) token.value = ""; // else it did not arrive
        return;
      }
      token.value = "";
      shown.removeEventListener("submit", submit);
      element("door").hidden = true;
      element("main").hidden = false;
      resolve();
    });
  });
}
