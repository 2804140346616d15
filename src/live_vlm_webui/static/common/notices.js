// Errors at the top of the page, until they are dismissed or resolved.

import { sentence } from "./api.js";
import { element, make, setText } from "./dom.js";
import { tell, translated } from "./words.js";

const errors = new WeakMap();

/** Show an error with its remedy. It replaces a notice with the same `key`. */
export function notify(key, error) {
  withdraw(key);
  const close = make("button", { type: "button", class: "small" });
  tell(close, "notice.dismiss");
  const notice = make("div", { class: "notice" }, make("p", {}, make("strong"), " ", make("span")), close);
  notice.dataset.key = key;
  errors.set(notice, error);
  show(notice);
  close.addEventListener("click", () => notice.remove());
  element("notices").append(notice);
}

function show(notice) {
  const { message, remedy = "" } = errors.get(notice);
  setText(notice.querySelector("strong"), sentence(message));
  setText(notice.querySelector("span"), translated(remedy));
}

/** Show all in the language of the page. */
export function redrawNotices() {
  for (const notice of element("notices").children) show(notice);
}

/** Do something whose failure is shown, until it succeeds or is tried again. */
export async function attempt(key, work) {
  withdraw(key);
  try {
    await work();
    return true;
  } catch (failure) {
    notify(key, failure);
    return false;
  }
}

/** Remove a notice. */
export function withdraw(key) {
  for (const notice of element("notices").children) if (notice.dataset.key === key) notice.remove();
}
