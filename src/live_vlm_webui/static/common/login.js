// Sign in, if the server requires it: with a one-time code in the URL's fragment, or with the token.

import { ask, sentences } from "./api.js";
import { element } from "./dom.js";

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
  let door;
  try {
    state = await ask("GET", "/api/login");
    if (state.required && !state.signed_in) door = await import("./door.js");
  } catch {
    return false;
  }
  showIsIn(state.required && state.signed_in);
  if (!door) return true;
  await door.open(error);
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
