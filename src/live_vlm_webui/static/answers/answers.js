// The current answer, and the last one until the next starts.

import { local, sentence, sentences } from "../common/api.js";
import { element, make, setText } from "../common/dom.js";
import { modelName, numbersLine } from "../common/format.js";
import { plain, render } from "./markdown.js";
import { caption } from "../camera/stage.js";

const ANNOUNCE_EVERY_MS = 6000;
const DRAW_EVERY_MS = 100; // some models answer faster than people can read, and each answer's frame is fetched

/** Shows a session's answer; `onOpen(answer)` is called when its frame is clicked. */
export class LiveAnswer {
  #box = element("answer");
  #text = element("text");
  #image = element("frame-image");
  #answer = null;
  #coming = null;
  #announcedAt = -Infinity;
  #drawing = 0;
  #drawnAt = 0;

  constructor(onOpen) {
    element("frame").addEventListener("click", () => this.#answer && onOpen(this.#answer));
    element("copy").addEventListener("click", () => copy(element("copy"), this.#answer?.text ?? ""));
  }

  /** Apply the whole state: the last answers, the current question, and the current error. `keeps` an earlier answer. */
  reset({ answers, asking, error }, keeps = false) {
    this.#coming = null;
    this.#answer = answers.at(-1) ?? (keeps ? this.#answer : null);
    this.#state("idle");
    this.#draw();
    if (error) this.failed({ error });
    if (!asking) return;
    this.started(asking);
    if (asking.text) this.delta(asking);
  }

  started({ id, at, model, prompt, frame }) {
    this.#coming = { id, at, model, prompt, frame, text: "" };
    this.#state("asking");
  }

  delta({ id, text }) {
    if (this.#coming?.id !== id) return;
    this.#coming.text += text;
    this.#answer = this.#coming;
    this.#state("answering");
    this.#drawSoon();
  }

  /** @returns the whole answer for the history; null if it started before this page was connected. */
  finished({ id, text, numbers }) {
    if (this.#coming?.id !== id) return null;
    this.#answer = { ...this.#coming, text, numbers };
    this.#coming = null;
    this.#state("idle");
    this.#drawSoon();
    this.#announce(text);
    return this.#answer;
  }

  failed({ error }) {
    this.#coming = null;
    this.#answer = null;
    this.#state("failed");
    element("frame").hidden = true;
    element("copy").disabled = true;
    setText(element("numbers"), "");
    caption("");
    this.#text.replaceChildren(
      make("p", { class: "problem" }, sentence(error.message)),
      make("p", { class: "quiet" }, error.remedy),
    );
  }

  /** Show why there is no answer yet. */
  hint(words) {
    if (this.#answer || this.#coming || this.#box.dataset.state === "failed") return;
    this.#text.replaceChildren(make("p", { class: "quiet" }, words));
  }

  #state(state) {
    this.#box.dataset.state = state;
  }

  #drawSoon() {
    const wait = this.#drawnAt + DRAW_EVERY_MS - performance.now();
    this.#drawing ||= setTimeout(() => this.#draw(), Math.max(wait, 0));
  }

  #draw() {
    clearTimeout(this.#drawing);
    this.#drawing = 0;
    this.#drawnAt = performance.now();
    if (this.#box.dataset.state === "failed") return;
    const answer = this.#answer;
    if (!answer) {
      this.#text.replaceChildren();
    } else {
      render(this.#text, answer.text);
      if (this.#image.getAttribute("src") !== local(answer.frame)) this.#image.src = local(answer.frame);
    }
    caption(answer ? plain(answer.text) : "");
    element("frame").hidden = !answer;
    element("copy").disabled = !answer;
    if (!answer || answer.numbers) setText(element("numbers"), answer ? numbersLine(answer.numbers) : "");
  }

  /** Announce finished answers to screen readers, at a limited rate. */
  #announce(text) {
    const now = performance.now();
    if (now - this.#announcedAt < ANNOUNCE_EVERY_MS) return;
    this.#announcedAt = now;
    setText(element("announcement"), plain(text));
  }
}

/** Copy `text`, and confirm it on the button. */
export async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", { value: text, class: "unseen" }); // pages without HTTPS have no clipboard
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  setText(button, "Copied");
  setTimeout(() => setText(button, "Copy"), 1500);
}

/** Show the model that answers, or why none does. */
export function showModel(label, error) {
  setText(element("label"), label ? modelName(label) : "");
  element("label").title = label?.api_base ?? "";
  const note = element("model-note");
  note.hidden = !error;
  note.classList.toggle("problem", Boolean(error));
  setText(note, error ? sentences(error) : "");
}
