// Errors at the top of the page, until they are dismissed or resolved.

import { sentence } from "./api.js";
import { element, make } from "./dom.js";

/** Show an error with its remedy. It replaces a notice with the same `key`. */
export function notify(key, { message, remedy = "" }) {
  withdraw(key);
  const close = make("button", { type: "button", class: "small" }, "Dismiss");
  const notice = make("div", { class: "notice" }, make("p", {}, make("strong", {}, sentence(message)), " ", remedy), close);
  notice.dataset.key = key;
  close.addEventListener("click", () => notice.remove());
  element("notices").append(notice);
}

/** Remove a notice. */
export function withdraw(key) {
  for (const notice of element("notices").children) if (notice.dataset.key === key) notice.remove();
}
