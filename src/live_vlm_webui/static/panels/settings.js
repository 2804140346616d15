// The settings panel: what is set once, in contrast to what is next to the picture. Loaded when it is first opened.

import { element, make, setText } from "../common/dom.js";
import { modelName } from "../common/format.js";
import { say, tell } from "../common/words.js";

const LONGEST_PROMPT = 16384;
const NUMBERS = {
  temperature: { label: "settings.temperature", min: 0, max: 2, step: 0.1, mayBeEmpty: true },
  long_side: { label: "frames.long-side", min: 64, max: 4096, step: 1 },
  max_frame_age: { label: "frames.age", min: 0.05, max: 3600, step: 0.1 },
  frames_per_question: { label: "frames.per-question", min: 1, max: 8, step: 1 },
  frame_spacing: { label: "frames.spacing", min: 0.04, max: 60, step: 0.1 },
};

/** Settings of the session, for which `change(patch)` sends changes, and those of this browser. */
export class SettingsPanel {
  #prompt = make("textarea", { id: "system_prompt", rows: 3, maxLength: LONGEST_PROMPT, dir: "auto" });
  #note = make("p", { id: "settings-note", class: "quiet wide", role: "status" });
  #inputs = Object.fromEntries(Object.entries(NUMBERS).map(([name, limits]) => [name, numberInput(name, limits)]));
  #twins = [];
  #dialog = make("dialog", { id: "settings", class: "sheet", closedBy: "any" });
  #settings = null;
  #change;

  /** `onKeys()` shows the keyboard shortcuts. */
  constructor(change, onKeys) {
    this.#change = change;
    this.#prompt.addEventListener("change", () => this.#sendPrompt());
    for (const [name, input] of Object.entries(this.#inputs)) {
      input.addEventListener("change", () => this.#sendNumber(name, input));
    }
    this.#inputs.temperature.setAttribute("data-say-placeholder", "settings.temperature.none");
    this.#inputs.temperature.placeholder = say("settings.temperature.none");
    const frames = Object.keys(NUMBERS).slice(1);
    const keys = told("button", "keys", { type: "button", class: "small" });
    keys.addEventListener("click", onKeys);
    const close = told("button", "close", { class: "small", type: "submit" });
    this.#dialog.append(
      make("form", { method: "dialog", class: "card-head" }, told("h2", "settings", { id: "settings-heading" }), close),
      group("model", field("settings.system-prompt", this.#prompt, "wide"), this.#field("temperature"), this.#note),
      group("frames", ...frames.map((name) => this.#field(name))),
      group("settings.browser", this.#twin("showing", "answer.showing"), this.#twin("language", "language"), this.#twin("theme", "theme")),
      keys,
    );
    this.#dialog.setAttribute("aria-labelledby", "settings-heading");
    this.#dialog.addEventListener("close", () => {
      element("main").before(element("notices"));
      this.#sendPrompt();
    });
    document.body.append(this.#dialog);
  }

  /** Open it. */
  open() {
    for (const [original, twin] of this.#twins) twin.value = original.value;
    this.#dialog.prepend(element("notices")); // behind it, errors could not be read
    this.#dialog.showModal();
  }

  /** Apply the session's settings, but keep input that is being typed. Of what was `refused`, keep the system prompt. */
  apply(settings, refused = false) {
    const isApplied = this.#prompt.value === (this.#settings?.system_prompt ?? "") && !refused;
    if (isApplied) this.#prompt.value = settings.system_prompt;
    this.#settings = settings;
    for (const [name, input] of Object.entries(this.#inputs)) {
      if (refused || document.activeElement !== input) input.value = settings[name] === null ? "" : String(settings[name]);
    }
  }

  /** Say what the model makes of system prompt and temperature: the label of the one that answers, and its last answer. */
  tellOf(model, answer) {
    const isLeftOut = answer?.left_out?.includes("temperature") && answer.model.name === model?.name;
    const key = model?.api_base === "built-in" ? "settings.describer" : isLeftOut && this.#settings.temperature !== null ? "settings.left-out" : "";
    this.#note.hidden = !key;
    setText(this.#note, key ? say(key, { model: modelName(model) }) : "");
  }

  #sendPrompt() {
    const wanted = this.#prompt.value.trim() ? this.#prompt.value : "";
    if (this.#settings && wanted !== this.#settings.system_prompt) this.#change({ system_prompt: wanted });
  }

  #sendNumber(name, input) {
    const { badInput, rangeOverflow, rangeUnderflow } = input.validity; // not its step, which is for the arrow keys alone
    const isEmpty = input.value === "" && !badInput;
    if (badInput || rangeOverflow || rangeUnderflow) input.reportValidity();
    else if (!isEmpty) this.#change({ [name]: input.valueAsNumber });
    else if (NUMBERS[name].mayBeEmpty) this.#change({ [name]: null });
    else this.apply(this.#settings, true);
  }

  #field(name) {
    return field(NUMBERS[name].label, this.#inputs[name]);
  }

  /** Return a second control for a choice of the page, which follows the first and changes it. */
  #twin(id, key) {
    const original = element(id);
    const twin = original.cloneNode(true);
    twin.id = `settings-${id}`;
    twin.removeAttribute("aria-keyshortcuts");
    twin.addEventListener("change", () => {
      original.value = twin.value;
      original.dispatchEvent(new Event("change", { bubbles: true }));
    });
    original.addEventListener("change", () => (twin.value = original.value));
    this.#twins.push([original, twin]);
    return field(key, twin);
  }
}

function told(tag, key, properties = {}) {
  const made = make(tag, properties);
  tell(made, key);
  return made;
}

function numberInput(name, { min, max, step }) {
  const isWhole = Number.isInteger(step);
  return make("input", { id: name, type: "number", min, max, step, inputMode: isWhole ? "numeric" : "decimal" });
}

const field = (key, control, width = "") => make("label", { class: `field ${width}` }, told("span", key), control);

const group = (key, ...fields) => make("section", { class: "group" }, told("h3", key), make("div", { class: "fields" }, ...fields));
