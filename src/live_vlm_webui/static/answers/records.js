// The numbers of the last answers, by model and prompt; they are drawn only when they are asked for.

import { element } from "../common/dom.js";
import { whenNeeded } from "../common/later.js";

const MOST_GROUPS = 8;
const MOST_ANSWERS = 240; // of each
const groups = new Map();
const figures = whenNeeded(() => import("./figures.js"));

/** Add an answer's numbers. */
export function record({ model, system_prompt: system, prompt, numbers }) {
  if (!numbers) return;
  const key = JSON.stringify([model.api_base, model.name, system, prompt]);
  const group = groups.get(key) ?? { model, system, prompt, numbers: [] };
  groups.delete(key); // the newest is the last
  groups.set(key, group);
  group.numbers.push(numbers);
  if (group.numbers.length > MOST_ANSWERS) group.numbers.shift();
  if (groups.size > MOST_GROUPS) groups.delete(groups.keys().next().value);
  redrawFigures();
}

/** Forget all, because another session begins. */
export function forgetFigures() {
  groups.clear();
  redrawFigures();
}

/** Show them, if they are asked for. */
export function redrawFigures() {
  if (element("figures").open) figures.now?.drawFigures([...groups.values()].reverse());
}

element("figures").addEventListener("toggle", async () => {
  await figures();
  redrawFigures();
});
