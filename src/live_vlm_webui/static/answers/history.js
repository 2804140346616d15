// Earlier answers, each with its frame; and one of them at full size.

import { local } from "../common/api.js";
import { element, make, setText } from "../common/dom.js";
import { duration, timeOfDay } from "../common/format.js";
import { whenNeeded } from "../common/later.js";
import { say, tell } from "../common/words.js";
import { forgetFigures, record } from "./records.js";
import { inShort } from "./form.js";

const MOST_ENTRIES = 60;
const DRAW_EVERY_MS = 400;
const LOADED_MS = 10000; // how long an image may take to load its copy, which may be replaced meanwhile

/**
 * The list of a session's answers; consecutive answers with the same text are one entry.
 *
 * It has copies of the pictures it shows: the server keeps only the newest, and none after a restart.
 */
export class History {
  #list = element("history");
  #entries = [];
  #waiting = [];
  #timer = 0;
  #held = { oldest: 0 };
  #session = "";
  #newest = -1; // the id of the session's last answer

  /** Set what the server still has: its older answers are not offered. */
  holds(held) {
    this.#held = held;
    const params = { count: held.answers, of: held.of, since: held.since ? timeOfDay(held.since) : "" };
    tell(element("export-holds"), held.of > held.answers ? "history.holds.part" : "history.holds", params);
    isHeld = (answer) => held.oldest !== null && answer.id >= held.oldest;
  }

  /**
   * Show a session's last answers, oldest first: instead of those of another session, or if `keeps` after them.
   *
   * The server sends fewer than are shown, so after a reconnection to the same session only those that came meanwhile are new.
   */
  reset(session, answers, keeps = false) {
    const isSameSession = session === this.#session;
    this.#session = session;
    if (!isSameSession) this.#newest = -1;
    for (const waiting of this.#waiting.splice(0)) this.#take(waiting);
    if (!keeps && !isSameSession) {
      for (const entry of this.#entries.splice(0)) release(entry.answer);
      this.#list.replaceChildren();
      forgetFigures();
    }
    for (const answer of answers) {
      if (isSameSession && answer.id <= this.#newest) continue;
      this.#newest = answer.id;
      this.#take(answer);
      record(answer);
    }
    this.#draw();
    const path = `/api/sessions/${encodeURIComponent(session)}/answers?format=`;
    for (const form of ["zip", "jsonl", "csv"]) element(`export-${form}`).href = local(path) + form;
  }

  /** Show all in the language of the page. */
  redraw() {
    this.holds(this.#held);
    for (const entry of this.#entries) entry.drawn = false;
    this.#draw();
  }

  /** Add an answer; answers in quick succession are drawn together. */
  add(answer) {
    this.#newest = answer.id;
    record(answer);
    this.#waiting.push(answer);
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      for (const waiting of this.#waiting.splice(0)) this.#take(waiting);
      this.#draw();
    }, DRAW_EVERY_MS);
  }

  #take(answer) {
    const last = this.#entries[0];
    if (last && isSame(last.answer, answer)) {
      release(last.answer);
      Object.assign(last, { answer, count: last.count + 1, drawn: false });
    } else {
      this.#entries.unshift({ answer, count: 1, node: null, drawn: false });
    }
    for (const entry of this.#entries.splice(MOST_ENTRIES)) release(entry.answer);
  }

  #draw() {
    for (const entry of this.#entries) {
      if (entry.drawn) continue;
      entry.node ??= nodeOf(entry);
      draw(entry);
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

/** Return whether two answers say the same to the same question of the same model. */
const isSame = (one, other) =>
  ["text", "prompt", "system_prompt"].every((name) => one[name] === other[name]) && one.model.name === other.model.name;

/** Return the node of an entry. It stays while its answer is given again: a new one would lose the focus, and clicks. */
function nodeOf(entry) {
  const image = make("img", { alt: "", width: 96, height: 54 });
  const words = make("span", {}, make("p", { class: "quiet" }), make("p", { class: "words", dir: "auto" }));
  const button = make("button", { type: "button", class: "entry" }, image, words);
  button.addEventListener("click", () => open(entry.answer));
  return make("li", {}, button);
}

/** Show in the node of an entry its answer, the newest of those that say the same. */
function draw(entry) {
  const { answer, count, node } = entry;
  const image = node.querySelector("img");
  const show = (address) => {
    if (entry.answer !== answer) return;
    if (address) image.src = address;
    image.classList.toggle("gone", !address);
  };
  pictureOf(answer).then(show, () => show(""));
  const time = make("time", { dateTime: answer.at }, timeOfDay(answer.at));
  const [head, words] = node.querySelectorAll("p");
  head.replaceChildren(time, count > 1 ? ` · ${say("history.times", { count })}` : "");
  if (answer.numbers) head.append(` · ${duration(answer.numbers.total)}`);
  setText(words, inShort(answer.text));
}

const copies = new WeakMap(); // by answer: a promise of the address of the copy of its picture

/** Return the address of a copy of an answer's picture. */
function pictureOf(answer) {
  if (!copies.has(answer)) copies.set(answer, copyOf(answer));
  return copies.get(answer);
}

let isHeld = () => true;

async function copyOf(answer) {
  if (!isHeld(answer)) throw new Error("gone");
  const { frame } = answer;
  const response = await fetch(local(frame));
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return URL.createObjectURL(await response.blob());
}

function release(answer) {
  const revoke = (address) => setTimeout(() => URL.revokeObjectURL(address), LOADED_MS);
  copies.get(answer)?.then(revoke, () => {});
  copies.delete(answer);
}

const detail = whenNeeded(async () => new (await import("./detail.js")).Detail());

/** Show one answer at full size, or a question that failed; `withExchange` also what was sent and came back. */
export async function open(answer, withExchange = false) {
  const picture = answer.error ? Promise.resolve(local(answer.frame)) : pictureOf(answer);
  picture.catch(() => {}); // it may be gone
  (await detail())?.show(answer, picture, withExchange);
}

/** Show percentiles of the last answers. */
export function showPercentiles({ total, first_token: first, answers, calls_saved: saved }) {
  const words = answers ? [say("percentiles.answers", { count: answers }), say("percentiles.median", { time: duration(total.p50) })] : [];
  if (saved) words.push(say("percentiles.saved", { count: saved }));
  setText(element("percentiles"), words.join(" · "));
  element("percentiles").title = answers
    ? say("percentiles.most", { total: duration(total.p95), first: duration(first.p95) })
    : "";
}
