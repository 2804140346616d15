// Keyboard shortcuts and their list. Loaded with the first key that could be one.

import { element, keep, make, recall } from "../common/dom.js";
import { tell } from "../common/words.js";

/** The keys, with the elements that they operate: the first that is visible. Elements tell them to screen readers too. */
export const SHORTCUTS = [
  ["c", "toggle", "stream-toggle"],
  ["a", "apply", "again"],
  ["p", "pause"],
  ["h", "hold"],
  ["q", "prompt"],
  ["j", "preset"],
  ["k", "preset"],
  ["r", "raw"],
  ["i", "inspect"],
  ["f", "fullscreen", "leave-fullscreen"],
  ["m", "mirror"],
  ["t", "theme"],
  ["s", "open-settings"],
];
const LIST = "?";
const BACK = "k"; // to the choice before

let dialog = null;
let isOn = recall("keys", true) !== false;
tellElements();

/** Do what a key stands for. */
export function press(event) {
  const key = keyOf(event);
  if (key === LIST) {
    if (isOn) showList();
    return;
  }
  const [, ...ids] = SHORTCUTS.find(([own]) => own === key) ?? [];
  const target = ids.map(element).find((one) => one.checkVisibility() && !one.disabled);
  if (!isOn || event.shiftKey || event.repeat || !target) return;
  event.preventDefault(); // else the key is typed into the field that gets the focus
  if (target.tagName === "TEXTAREA") target.focus();
  else if (target.tagName === "SELECT") choose(target, key === BACK ? -1 : 1);
  else target.click();
}

/** Return the letter of a key; on a keyboard of other letters, that of the same key of a Latin one. */
function keyOf({ key, code }) {
  const isLatin = key <= "\u024f";
  return isLatin ? key.toLowerCase() : (/^Key([A-Z])$/.exec(code)?.[1].toLowerCase() ?? key);
}

/** Choose another of a list's choices, after the last again the first. */
function choose(select, step) {
  const options = [...select.options].filter((option) => !option.disabled && (option.value || select.id !== "preset"));
  const at = options.indexOf(select.selectedOptions[0]);
  const next = at < 0 ? (step > 0 ? 0 : options.length - 1) : (at + step + options.length) % options.length;
  select.value = options[next].value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
}

/** Show the list of all keys, where they can be switched off: keys alone get in the way of some who speak to a computer. */
export function showList() {
  dialog ??= build();
  dialog.showModal();
}

function build() {
  const made = make("dialog", { id: "keys", class: "sheet", closedBy: "any" });
  made.setAttribute("aria-labelledby", "keys-heading");
  const close = told(make("button", { class: "small", type: "submit" }), "close");
  const heading = told(make("h2", { id: "keys-heading" }), "keys");
  const rows = [...SHORTCUTS, [LIST, "list"]].map(([key, id]) =>
    make("div", {}, make("dt", {}, make("kbd", {}, key === LIST ? key : key.toUpperCase())), told(make("dd"), `keys.${key === BACK ? "preset-before" : id}`)),
  );
  const box = make("input", { type: "checkbox", checked: isOn });
  const state = make("p", { class: "quiet", role: "status" }); // screen readers tell what changes in it
  box.addEventListener("change", () => {
    isOn = box.checked;
    keep("keys", isOn);
    tellElements();
    tell(state, isOn ? "keys.are-on" : "keys.are-off");
  });
  const note = told(make("p", { class: "quiet" }), "keys.where");
  const check = make("label", { class: "check" }, box, told(make("span"), "keys.on"));
  made.append(make("form", { method: "dialog", class: "card-head" }, heading, close), make("dl", { class: "keys" }, ...rows), note, check, state);
  document.body.append(made);
  return made;
}

function tellElements() {
  const keys = new Map();
  for (const [key, ...ids] of SHORTCUTS) for (const id of ids) keys.set(id, [...(keys.get(id) ?? []), key.toUpperCase()]);
  for (const [id, own] of keys) {
    if (isOn) element(id).setAttribute("aria-keyshortcuts", own.join(" "));
    else element(id).removeAttribute("aria-keyshortcuts");
  }
}

function told(target, key) {
  tell(target, key);
  return target;
}
