// The form in which answers are shown: as their Markdown is meant, or as the model wrote it.

import { element, keep, make, recall } from "../common/dom.js";
import { plain, render } from "./markdown.js";

const button = element("raw");

const isRaw = () => button.getAttribute("aria-pressed") === "true";

/** Connect the switch, which is remembered; `onChange()` shows all answers again. */
export function prepareForm(onChange) {
  button.setAttribute("aria-pressed", String(recall("raw", false) === true));
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", String(!isRaw()));
    keep("raw", isRaw());
    onChange();
  });
}

/** Replace the content of `target` with an answer's text. */
export function showText(target, text) {
  if (isRaw()) target.replaceChildren(make("pre", { class: "raw" }, text));
  else render(target, text);
}

/** Return an answer's text for a small space. */
export const inShort = (text) => (isRaw() ? text : plain(text));
