// The form in which answers are shown: as their Markdown is meant, or as the model wrote it.

import { element, keep, make, recall } from "../common/dom.js";
import { closed, plain, render } from "./markdown.js";

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

/** Replace the content of `target` with an answer's text, which `isComing` or is whole. */
export function showText(target, text, isComing = false) {
  if (isRaw()) target.replaceChildren(make("pre", { class: "raw" }, text));
  else render(target, isComing ? closed(text) : text);
}

/** Return an answer's text for a small space. */
export const inShort = (text) => (isRaw() ? text : plain(text));
