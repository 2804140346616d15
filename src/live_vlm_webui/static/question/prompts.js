// The prompt: presets, the user's own ones stored in this browser, and free text.

import { fault } from "../common/api.js";
import { element, keep, recall } from "../common/dom.js";
import { notify, withdraw } from "../common/notices.js";
import { say } from "../common/words.js";

const PRESETS = ["scene", "objects", "people", "text", "robot", "happens", "json"];
const KEY = "presets";
const MOST_OWN = 50;

/** The prompt of a session; `change(patch)` sends changes. */
export class Prompts {
  #select = element("preset");
  #area = element("prompt");
  #own = readOwn([]);
  #active = "";
  #change;

  constructor(change) {
    this.#change = change;
    this.#select.addEventListener("change", () => this.#choose());
    this.#area.addEventListener("input", () => this.#show());
    this.#area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.#apply();
    });
    element("apply").addEventListener("click", () => this.#apply());
    element("save-preset").addEventListener("click", () => this.#nameIt(true));
    element("cancel-preset").addEventListener("click", () => this.#nameIt(false));
    element("delete-preset").addEventListener("click", () => this.#delete());
    element("name-preset").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save(element("preset-name").value.trim());
    });
    addEventListener("storage", ({ key }) => key === KEY && this.#renew()); // another tab has changed them
    this.#show();
  }

  /** Apply the session's prompt, but keep text that is being typed, and text that was `refused`. */
  apply(prompt, refused = false) {
    const isApplied = this.#area.value === this.#active && !refused;
    if (isApplied || !this.#area.value) this.#area.value = prompt;
    this.#active = prompt;
    this.#show();
  }

  get #all() {
    return [...PRESETS.map((name) => [say(`preset.${name}`), say(`preset.${name}.prompt`)]), ...this.#own];
  }

  #choose() {
    const chosen = this.#all[this.#select.value];
    if (!chosen) return;
    this.#area.value = chosen[1];
    this.#apply();
  }

  #apply() {
    const prompt = this.#area.value.trim();
    if (prompt && prompt !== this.#active) this.#change({ prompt });
  }

  #nameIt(begun) {
    withdraw("preset");
    element("name-preset").hidden = !begun;
    element("preset-name").value = "";
    (begun ? element("preset-name") : element("save-preset")).focus();
  }

  #save(name) {
    const prompt = this.#area.value.trim();
    if (!name || !prompt) return;
    const others = readOwn(this.#own).filter(([other]) => other !== name);
    if (others.length >= MOST_OWN) {
      notify("preset", fault("preset.full"));
      return;
    }
    this.#keepOwn(() => [...others, [name, prompt]]);
    this.#nameIt(false);
  }

  #delete() {
    const [name, prompt] = this.#all[this.#select.value] ?? [];
    this.#keepOwn((own) => own.filter((preset) => preset[0] !== name || preset[1] !== prompt));
  }

  /** Change the user's own presets: those that are stored now, which another tab may have changed. */
  #keepOwn(changed) {
    this.#own = changed(readOwn(this.#own));
    keep(KEY, this.#own);
    this.#show();
  }

  #renew() {
    this.#own = readOwn(this.#own);
    this.#show();
  }

  #show() {
    const text = this.#area.value.trim();
    const at = this.#all.findIndex(([, prompt]) => prompt === text);
    const option = ([name], index) => new Option(name, String(index), false, index === at);
    const own = this.#own.map((preset, index) => option(preset, PRESETS.length + index));
    const free = new Option(say("preset.custom"), "", false, at === -1);
    free.disabled = at !== -1;
    this.#select.replaceChildren(free, group(say("preset.ours"), this.#all.slice(0, PRESETS.length).map(option)));
    if (own.length) this.#select.append(group(say("preset.own"), own));
    element("apply").hidden = !text || text === this.#active;
    element("save-preset").hidden = at !== -1 || !text;
    element("delete-preset").hidden = at < PRESETS.length;
  }
}

function group(label, options) {
  const made = document.createElement("optgroup");
  made.label = label;
  made.append(...options);
  return made;
}

/** Return the presets that are stored; `otherwise`, if none are or storage is disabled. */
function readOwn(otherwise) {
  const kept = recall(KEY, otherwise);
  const isPreset = (preset) => Array.isArray(preset) && preset.length === 2 && preset.every((part) => typeof part === "string");
  return Array.isArray(kept) ? kept.filter(isPreset).slice(0, MOST_OWN) : [];
}
