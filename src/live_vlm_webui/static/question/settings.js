// The settings of a session that are next to the picture: when to ask, and the longest answer.

import { element } from "../common/dom.js";
import { tell } from "../common/words.js";

const EVERY = {
  frames: { label: "sampling.every.frames", name: "every", otherwise: 30, min: 1, max: 100000, step: 1 },
  seconds: { label: "sampling.every.seconds", name: "every", otherwise: 5, min: 0.05, max: 86400, step: "any" },
  change: { label: "sampling.every.change", name: "threshold", otherwise: 0.05, min: 0, max: 100, step: "any" },
};

/** Connects the controls of a session's settings; `change(patch)` sends changes. */
export class SettingControls {
  #change;
  #settings = { sampling: {} };

  constructor(change) {
    this.#change = change;
    element("max_tokens").addEventListener("change", ({ target }) => {
      this.#send(target, (max_tokens) => this.#change({ max_tokens }));
    });
    element("sampling").addEventListener("change", ({ target }) => this.#setMode(target.value));
    element("every").addEventListener("change", ({ target }) => {
      this.#send(target, (every) => this.#setMode(element("sampling").value, every));
    });
    element("reasoning").addEventListener("change", ({ target }) => this.#change({ reasoning: target.checked }));
    element("pause").addEventListener("click", ({ target }) => {
      this.#change({ paused: target.getAttribute("aria-pressed") !== "true" });
    });
  }

  /** Apply the session's settings, but keep input that is being typed, unless it was `refused`. */
  apply(settings, refused = false) {
    set(element("max_tokens"), settings.max_tokens, refused);
    element("reasoning").checked = settings.reasoning;
    this.#settings = settings;
    const { mode } = settings.sampling;
    element("sampling").value = mode;
    this.#showEvery(mode, settings.sampling, refused);
    element("pause").setAttribute("aria-pressed", String(settings.paused));
    tell(element("pause"), settings.paused ? "resume" : "pause");
  }

  /** Send a valid number; a field that was emptied shows again what holds. */
  #send(input, send) {
    if (!input.reportValidity()) return;
    if (input.value) send(input.valueAsNumber);
    else this.apply(this.#settings, true);
  }

  #setMode(mode, value) {
    const every = EVERY[mode];
    if (!every) {
      this.#change({ sampling: { mode } });
      return;
    }
    const wanted = value === undefined ? every.otherwise : mode === "change" ? value / 100 : value;
    const { sampling } = this.#settings;
    const others = mode === sampling.mode ? sampling : {}; // such as the longest silence, which is not shown
    this.#change({ sampling: { ...others, mode, [every.name]: wanted } });
  }

  #showEvery(mode, sampling, refused) {
    const every = EVERY[mode];
    element("every-field").hidden = !every;
    if (!every) return;
    tell(element("every-label"), every.label);
    const input = element("every");
    Object.assign(input, { min: every.min, max: every.max, step: every.step });
    set(input, mode === "change" ? Number((sampling.threshold * 100).toFixed(3)) : sampling.every, refused);
  }
}

function set(input, value, refused) {
  if (refused || document.activeElement !== input) input.value = String(value);
}
