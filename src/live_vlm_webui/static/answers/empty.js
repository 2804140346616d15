// What the answer's card shows before there is an answer: what is missing, and what to do about it.

import { element, setText } from "../common/dom.js";
import { tell } from "../common/words.js";

const box = element("empty");

/**
 * Show why there is no answer.
 *
 * @param {"start" | "frame" | "soon" | "waiting" | "slow" | "paused" | ""} state no source, no frame of it yet, not asked yet, asked,
 *   asked for long, paused; "" if there is an answer.
 * @param {object} parameters of the text `empty.STATE`.
 * @param {string} detail more about it.
 */
export function showEmpty(state, parameters = {}, detail = "") {
  box.hidden = !state;
  if (!state) return;
  tell(element("empty-what"), `empty.${state}`, parameters);
  setText(element("empty-detail"), detail);
  element("empty-detail").hidden = !detail;
  for (const part of box.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== state;
}

/** Connect the actions. */
export function prepareEmpty() {
  element("empty-resume").addEventListener("click", () => element("pause").click());
  element("empty-model").addEventListener("click", () => element("model").focus());
}
