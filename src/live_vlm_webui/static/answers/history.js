// Earlier answers, each with its frame; and one of them at full size.

import { local } from "../common/api.js";
import { element, make, setText } from "../common/dom.js";
import { duration, modelName, numbersOf, timeOfDay } from "../common/format.js";
import { plain, render } from "./markdown.js";

const MOST_ENTRIES = 60;
const DRAW_EVERY_MS = 400;

/** The list of a session's answers; consecutive answers with the same text are one entry. */
export class History {
  #list = element("history");
  #entries = [];
  #waiting = [];
  #timer = 0;

  /** Show these answers, oldest first, instead of the current ones. */
  reset(session, answers) {
    this.#entries = [];
    this.#waiting = [];
    this.#list.replaceChildren();
    for (const answer of answers) this.#take(answer);
    this.#draw();
    const path = `/api/sessions/${encodeURIComponent(session)}/answers?format=`;
    for (const form of ["zip", "jsonl", "csv"]) element(`export-${form}`).href = local(path) + form;
  }

  /** Add an answer; answers in quick succession are drawn together. */
  add(answer) {
    this.#waiting.push(answer);
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      for (const waiting of this.#waiting.splice(0)) this.#take(waiting);
      this.#draw();
    }, DRAW_EVERY_MS);
  }

  #take(answer) {
    const last = this.#entries[0];
    if (last && last.answer.text === answer.text && last.answer.prompt === answer.prompt) {
      Object.assign(last, { answer, count: last.count + 1, drawn: false });
    } else {
      this.#entries.unshift({ answer, count: 1, node: null, drawn: false });
    }
    this.#entries.length = Math.min(this.#entries.length, MOST_ENTRIES);
  }

  #draw() {
    for (const entry of this.#entries) {
      if (entry.drawn) continue;
      const node = drawn(entry);
      if (entry.node) entry.node.replaceWith(node);
      entry.node = node;
      entry.drawn = true;
    }
    const kept = new Set(this.#entries.map(({ node }) => node));
    for (const node of [...this.#list.children]) if (!kept.has(node)) node.remove();
    const fresh = this.#entries.filter(({ node }) => !node.isConnected).map(({ node }) => node);
    this.#list.prepend(...fresh);
    element("no-history").hidden = this.#entries.length > 0;
    element("exports").hidden = this.#entries.length === 0;
  }
}

function drawn({ answer, count }) {
  const time = make("time", { dateTime: answer.at }, timeOfDay(answer.at));
  const image = make("img", { src: local(answer.frame), alt: "", loading: "lazy", width: 96, height: 54 });
  image.addEventListener("error", () => image.classList.add("gone")); // the server keeps only the newest frames
  const head = make("p", { class: "quiet" }, time, count > 1 ? ` · ${count} times` : "");
  if (answer.numbers) head.append(` · ${duration(answer.numbers.total)}`);
  const words = make("p", { class: "words" }, plain(answer.text));
  const button = make("button", { type: "button", class: "entry" }, image, make("span", {}, head, words));
  button.addEventListener("click", () => open(answer));
  return make("li", {}, button);
}

/** Show one answer at full size. */
export function open(answer) {
  element("detail-frame").src = local(answer.frame);
  setText(element("detail-about"), `${timeOfDay(answer.at)} · ${modelName(answer.model)} · “${answer.prompt}”`);
  render(element("detail-text"), answer.text);
  const pairs = answer.numbers ? numbersOf(answer.numbers) : [];
  element("detail-numbers").replaceChildren(
    ...pairs.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))),
  );
  element("detail").showModal();
}

/** Show percentiles of the last answers. */
export function showPercentiles({ total, first_token: first, answers, calls_saved: saved }) {
  const words = answers ? [answers === 1 ? "1 answer" : `${answers} answers`, `median ${duration(total.p50)}`] : [];
  if (saved) words.push(`${saved} calls saved`);
  setText(element("percentiles"), words.join(" · "));
  element("percentiles").title = answers
    ? `95th percentile: ${duration(total.p95)}, first token ${duration(first.p95)}`
    : "";
}
