// The current answer. A whole one stands still for as long as its words take to read, and then gives way to the newest;
// while nothing is being read, the next appears as it comes. Shown live, each appears as it comes, however fast.

import { local, sentence, sentences } from "../common/api.js";
import { say, tell, translated } from "../common/words.js";
import { element, keep, make, recall, setText } from "../common/dom.js";
import { ago, modelName, numbersLine, timeOfDay } from "../common/format.js";
import { prepareEmpty, showEmpty } from "./empty.js";
import { showText } from "./form.js";
import { plain } from "./markdown.js";
import { caption } from "../camera/stage.js";
import { notify, withdraw } from "../common/notices.js";

const ANNOUNCE_EVERY_MS = 6000;
const WORD_MS = 250;
const LEAST_MS = 2000;
const TICK_MS = 500;
const PATIENCE_MS = 1000; // a question that takes longer is shown as being waited for
const SLOW_MS = 10000; // from then on the page says what may be the matter
const DRAW_EVERY_MS = 100; // some models answer faster than people can read, and each answer's frame is fetched

/** Shows a session's answer; `onOpen(answer, withExchange)` shows it at full size. */
export class LiveAnswer {
  #box = element("answer");
  #text = element("text");
  #image = element("frame-image");
  #answer = null; // what is shown, as soon as it is drawn
  #drawn = null; // the answer that is to be seen, which buttons are about
  #next = null; // the newest whole answer, while another is being read
  #passed = 0; // how many were not shown since
  #turn = 0; // the timer that ends the reading
  #coming = null;
  #last = null; // the last whole answer
  #cameAt = 0; // when #answer came, by this browser's clock
  #askedAt = 0;
  #isCurrent = false;
  #error = null; // that is shown
  #hint = ["start"]; // why there is no answer, if none is being waited for
  #failed = null; // the question that it is about, if one was sent
  #untold = null; // a failure that is shown when what is held is released
  #announcedAt = -Infinity;
  #drawing = 0;
  #drawnAt = 0;

  constructor(onOpen) {
    prepareEmpty();
    element("frame").addEventListener("click", () => this.#drawn && onOpen(this.#drawn));
    element("inspect").addEventListener("click", () => onOpen(this.#drawn ?? this.#failed, true));
    element("copy").addEventListener("click", () => copy(element("copy"), this.#drawn.text));
    setInterval(() => this.#showAge(), TICK_MS);
    const showing = element("showing");
    showing.value = recall("showing", "read");
    showing.addEventListener("change", () => {
      keep("showing", showing.value);
      if (this.#isLive) this.#turnPage();
    });
    element("hold").addEventListener("click", ({ target }) => {
      target.setAttribute("aria-pressed", String(!this.#isHeld));
      if (this.#isHeld) this.#draw(); // what is held from now on
      else if (this.#untold) this.failed(this.#untold);
      else if (!this.#turn) this.#turnPage();
    });
  }

  get #isLive() {
    return element("showing").value === "live";
  }

  get #isHeld() {
    return element("hold").getAttribute("aria-pressed") === "true";
  }

  /** The answer that is held, or null. */
  get #held() {
    return this.#isHeld ? this.#answer : null;
  }

  /** Whether what is shown must not change now. */
  get #isRead() {
    return Boolean(this.#held) || (!this.#isLive && this.#turn !== 0);
  }

  /** Apply the whole state: the last answers, the current question, and the current error. `keeps` an earlier answer. */
  reset({ answers, asking, error, failed_frame: frame }, keeps = false) {
    const held = this.#held;
    this.#coming = null;
    this.#last = answers.at(-1) ?? (keeps ? this.#last : null);
    this.#next = held && this.#last && this.#last.at !== held.at ? { ...this.#last, cameAt: Date.parse(this.#last.at) } : null;
    this.#passed = 0;
    if (!held) {
      this.#answer = this.#last;
      this.#cameAt = this.#answer ? Date.parse(this.#answer.at) : 0;
    }
    this.#recover();
    this.#state("idle");
    this.#draw();
    if (error) this.failed({ error, frame });
    if (!asking) return;
    this.started(asking);
    if (asking.text) this.delta(asking);
  }

  started({ id, at, model, prompt, system_prompt, frame }) {
    this.#coming = { id, at, model, prompt, system_prompt, frame, text: "" };
    this.#askedAt = Date.now();
    this.#recover();
    this.#state("asking");
  }

  delta({ id, text }) {
    if (this.#coming?.id !== id) return;
    this.#coming.text += text;
    if (this.#isRead) return;
    this.#answer = this.#coming;
    this.#passed = 0;
    this.#cameAt = Date.now();
    this.#state("answering");
    this.#drawSoon();
  }

  /** @returns the whole answer for the history; null if it started before this page was connected. */
  finished({ id, text, numbers, thoughts, left_out }) {
    if (this.#coming?.id !== id) return null;
    const answer = { ...this.#coming, text, numbers, thoughts, left_out, cameAt: Date.now() };
    const isShown = this.#answer === this.#coming;
    this.#last = answer;
    this.#coming = null;
    this.#state("idle");
    if (isShown || !this.#isRead) {
      this.#show(answer);
    } else {
      if (this.#next) this.#passed += 1;
      this.#next = answer;
    }
    return answer;
  }

  /** Show a whole answer for as long as it takes to read. */
  #show(answer) {
    this.#answer = answer;
    this.#next = null;
    this.#cameAt = answer.cameAt;
    clearTimeout(this.#turn);
    const words = answer.text.split(/\s+/).length;
    this.#turn = setTimeout(() => this.#turnPage(), Math.max(LEAST_MS, words * WORD_MS) + DRAW_EVERY_MS); // it may be drawn later
    this.#drawSoon();
    this.#announce(answer.text);
  }

  #turnPage() {
    clearTimeout(this.#turn);
    this.#turn = 0;
    if (!this.#next || this.#isHeld) return;
    this.#show(this.#next);
    this.#passed = 0;
  }

  failed({ error, frame }) {
    this.#recover();
    if (this.#held) {
      this.#untold = { error, frame };
      this.#coming = null;
      this.#state("idle");
      this.#draw();
      notify("answer", error);
      return;
    }
    this.#error = error;
    this.#failed = frame ? { error, frame } : null;
    this.#coming = null;
    this.#answer = this.#drawn = this.#last = this.#next = null;
    clearTimeout(this.#turn);
    this.#turn = 0;
    this.#state("failed");
    this.#showEmpty();
    element("frame").hidden = true;
    element("thoughts").hidden = true;
    element("copy").disabled = true;
    element("inspect").hidden = !frame;
    setText(element("numbers"), "");
    caption("");
    this.#text.replaceChildren(
      make("p", { class: "problem" }, sentence(error.message)),
      make("p", { class: "quiet" }, translated(error.remedy)),
    );
  }

  /** Forget a failure that was told while an answer is held. */
  #recover() {
    this.#untold = null;
    withdraw("answer");
  }

  /** Another model is asked from now on: drop what the one before had not finished. */
  ask(model) {
    if (!this.#coming || sameModel(this.#coming.model, model)) return;
    if (this.#answer === this.#coming) this.#answer = this.#last;
    this.#coming = null;
    this.#state("idle");
    this.#draw();
  }

  /** Show all in the language of the page. */
  redraw() {
    if (this.#error) this.failed({ error: this.#error, frame: this.#failed?.frame });
    else this.#draw();
  }

  /** Show whether the answer can be about what the camera shows now. */
  current(isCurrent) {
    this.#isCurrent = isCurrent;
    this.#showAge();
  }

  /** Show why there is no answer yet: a state of `showEmpty` and, if known, more about it. */
  hint(state, detail = "") {
    this.#hint = [state, {}, detail];
    this.#showEmpty();
  }

  #showEmpty() {
    if (this.#answer || this.#box.dataset.state === "failed") {
      showEmpty("");
    } else if (this.#coming) {
      const waited = Date.now() - this.#askedAt;
      const parameters = { model: modelName(this.#coming.model), seconds: Math.round(waited / 1000) };
      showEmpty(waited > SLOW_MS ? "slow" : "waiting", parameters);
    } else {
      showEmpty(...this.#hint);
    }
  }

  #state(state) {
    if (state !== "failed") this.#error = null;
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
    const answer = (this.#drawn = this.#answer);
    if (!answer) {
      this.#text.replaceChildren();
    } else {
      showText(this.#text, answer.text, answer === this.#coming);
      if (this.#image.getAttribute("src") !== local(answer.frame)) this.#image.src = local(answer.frame);
    }
    this.#showThoughts(answer);
    caption(answer ? plain(answer.text) : "");
    element("frame").hidden = !answer;
    element("copy").disabled = !answer;
    element("inspect").hidden = !answer;
    setText(element("numbers"), answer?.numbers ? numbersLine(answer.numbers) : "");
    this.#showAge();
  }

  /** Show what was thought before the answer; while one comes, what was thought before the last. */
  #showThoughts(answer) {
    if (answer && answer.thoughts === undefined) return;
    element("thoughts").hidden = !answer?.thoughts;
    setText(element("thoughts-text"), answer?.thoughts ?? "");
  }

  /** Show who gave the answer and when, how long the next is waited for, and whether it is about what is seen now. */
  #showAge() {
    this.#showEmpty();
    const answer = this.#answer;
    const now = Date.now();
    const isStale = Boolean(answer) && !this.#isCurrent;
    const waits = answer && this.#coming && !this.#coming.text && now - this.#askedAt > PATIENCE_MS;
    const words = answer ? [modelName(answer.model), timeOfDay(answer.at), ago(this.#cameAt, now)] : [];
    if (this.#passed) words.push(say("answer.passed", { count: this.#passed }));
    if (isStale) words.push(say("answer.stale"));
    if (waits) words.push(say(sameModel(answer.model, this.#coming.model) ? "answer.waiting.next" : "answer.waiting", { model: modelName(this.#coming.model), seconds: Math.round((now - this.#askedAt) / 1000) }));
    setText(element("about"), words.join(" · "));
    element("about").title = answer ? asked(answer).join("\n") : "";
    this.#box.toggleAttribute("data-stale", isStale);
  }

  /** Announce finished answers to screen readers, at a limited rate. */
  #announce(text) {
    const now = performance.now();
    if (now - this.#announcedAt < ANNOUNCE_EVERY_MS) return;
    this.#announcedAt = now;
    setText(element("announcement"), plain(text));
  }
}

/** Return what a model was asked, in words. */
const asked = ({ prompt, system_prompt: system }) => [
  ...(system ? [say("answer.system-prompt", { prompt: system })] : []),
  say("answer.question", { prompt }),
];

const sameModel = (one, other) => one?.name === other?.name && one?.api_base === other?.api_base;

/** Copy `text`, and confirm it on the button, whose name is the text `label`, if the browser did. */
export async function copy(button, text, label = "answer.copy") {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", { value: text, class: "unseen" }); // pages without HTTPS have no clipboard
    (button.closest("dialog") ?? document.body).append(area); // outside an open dialog nothing can be selected
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    if (!isCopied) return;
  }
  tell(button, "answer.copied");
  setTimeout(() => tell(button, label), 1500);
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
