// The form that asks for the token, loaded where no one has signed in.

import { ask, sentences } from "./api.js";
import { element, setText } from "./dom.js";
import { tell } from "./words.js";

/** Show the form until the token is right; `error` is why the code was not, or empty. */
export function open(error) {
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
