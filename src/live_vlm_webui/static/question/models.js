// The choice of the model: those that were found, and those of another server.

import { ask } from "../common/api.js";
import { element } from "../common/dom.js";
import { attempt } from "../common/notices.js";
import { modelName } from "../common/format.js";
import { whenNeeded } from "../common/later.js";
import { say, tell } from "../common/words.js";

const AUTOMATIC = "";
const MANY = 15; // models are searched from this number on

/** The model of the session `session()`; `change(patch)` sends changes. */
export class Models {
  #select = element("model");
  #found = [];
  #others = [];
  #key = null;
  #settings = { api_base: "", model: "" };
  #label = null;
  #session;
  #change;

  constructor(session, change) {
    this.#session = session;
    this.#change = change;
    this.#select.addEventListener("change", () => this.#choose());
    element("model-search").addEventListener("input", () => this.#show());
    element("model-search").addEventListener("keydown", (event) => event.key === "Enter" && this.#chooseFound());
    element("refresh").addEventListener("click", () => this.list(true));
    element("endpoint").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#listOthers();
    });
    const servers = whenNeeded(() => import("./servers.js"));
    element("other-server").addEventListener("toggle", async () => !servers.now && (await servers())?.showServers());
    this.#show();
  }

  /** Apply the session's settings. */
  apply({ api_base, model }) {
    this.#settings = { api_base, model };
    this.#show();
  }

  /** Set the model that answers; null if none does. */
  answeredBy(label) {
    this.#label = label;
    this.#show();
  }

  /** List the models that were found; with `again` after a new search. */
  async list(again = false) {
    await this.#list(element("refresh"), async () => {
      this.#found = (await ask("GET", `/api/models${again ? "?refresh=true" : ""}`)).models;
      // Where there is no server of models, the page says how to get one.
      if (this.#found.every(({ api_base }) => api_base === "built-in")) element("other-server").open = true;
    });
  }

  async #listOthers() {
    const api_base = element("api_base").value.trim();
    const api_key = element("api_key").value;
    const button = element("endpoint").querySelector("button");
    await this.#list(button, async () => {
      this.#others = (await ask("POST", "/api/models", { session: this.#session(), api_base, ...(api_key && { api_key }) })).models;
      // The server stores the key once a model is chosen; until then it is kept here, for that address only.
      this.#key = api_key ? { api_base: this.#others[0]?.api_base, api_key } : null;
      element("api_key").value = "";
      this.#show();
      this.#select.focus();
      this.#note(this.#others.length ? "server.listed" : "server.empty", this.#others.length);
    });
  }

  async #list(button, work) {
    button.disabled = true;
    this.#note("");
    await attempt("models", work);
    button.disabled = false;
    this.#show();
  }

  /** Choose the only model that was found; of several, let the user choose. */
  #chooseFound() {
    const found = [...this.#select.options].filter(({ value, index }) => value && index && !this.#isChosen(value));
    if (found.length !== 1) {
      this.#select.focus();
      return;
    }
    this.#select.value = found[0].value;
    this.#choose();
  }

  #isChosen(at) {
    const { api_base, model: name } = this.#settings;
    return isSame(this.#offers[at], { api_base, name });
  }

  async #choose() {
    this.#note("");
    const offer = this.#offers[this.#select.value];
    if (!offer) {
      this.#change({ api_base: "", model: "" });
      return;
    }
    const { api_base, name } = offer;
    const key = this.#key?.api_base === api_base ? this.#key : null;
    const isMade = await this.#change({ api_base, model: name, ...(key && { api_key: key.api_key }) });
    if (isMade && key === this.#key) this.#key = null;
  }

  /** All models, including the chosen one even if it is not listed. */
  get #offers() {
    const offers = [...this.#found];
    for (const other of this.#others) if (!offers.some((offer) => isSame(offer, other))) offers.push(other);
    const { api_base, model } = this.#settings;
    const chosen = { api_base, name: model, server: "", vision: null };
    if (api_base && model && !offers.some((offer) => isSame(offer, chosen))) offers.push(chosen);
    return offers;
  }

  #show() {
    const offers = this.#offers;
    const { api_base, model } = this.#settings;
    const at = api_base ? offers.findIndex((offer) => isSame(offer, { api_base, name: model || this.#label?.name })) : -1;
    const groups = new Map();
    const search = element("model-search");
    search.hidden = offers.length < MANY;
    const sought = search.hidden ? [] : search.value.toLowerCase().split(/\s+/);
    for (const [index, offer] of offers.entries()) {
      const named = `${offer.name} ${offer.server} ${offer.api_base}`.toLowerCase();
      if (index !== at && !sought.every((part) => named.includes(part))) continue;
      const where = offer.api_base === "built-in" ? say("model.built-in") : [offer.server, offer.api_base].filter(Boolean).join(", ");
      if (!groups.has(where)) groups.set(where, []);
      const blind = offer.vision === false ? ` (${say("model.blind")})` : "";
      groups.get(where).push(new Option(offer.name + blind, String(index), false, index === at));
    }
    const isChosen = api_base || !this.#label;
    const automatic = isChosen ? say("model.automatic") : say("model.automatic.now", { model: modelName(this.#label) });
    this.#select.replaceChildren(new Option(automatic, AUTOMATIC, false, at === -1));
    for (const [label, options] of groups) {
      const group = document.createElement("optgroup");
      group.label = label;
      group.append(...options);
      this.#select.append(group);
    }
  }

  /** Show all in the language of the page. */
  redraw() {
    this.#show();
  }

  #note(key, count = 0) {
    const note = element("model-note");
    note.classList.remove("problem");
    note.hidden = !key;
    if (key) tell(note, key, { count });
  }
}

const isSame = (one, other) => one.api_base === other.api_base && one.name === other.name;
