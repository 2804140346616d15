// What went wrong, at the top of the page, until it is put away or no longer so.

import { element, make } from "./dom.js";

/** Show an error: its message, and what to do. One with the same `key` takes its place. */
export function notify(key, { message, remedy = "" }) {
  withdraw(key);
  const close = make("button", { type: "button", class: "small" }, "Dismiss");
  const notice = make("div", { class: "notice" }, make("p", {}, make("strong", {}, message), " ", remedy), close);
  notice.dataset.key = key;
  close.addEventListener("click", () => notice.remove());
  element("notices").append(notice);
}

/** Take it back. */
export function withdraw(key) {
  for (const notice of element("notices").children) if (notice.dataset.key === key) notice.remove();
}
