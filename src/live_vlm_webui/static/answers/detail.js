// One answer at full size, with what was sent for it and what came back. Loaded when the first one is opened.

import { ask, local, sentence } from "../common/api.js";
import { make, setText } from "../common/dom.js";
import { modelName, numbersOf, timeOfDay } from "../common/format.js";
import { say, tell, translated } from "../common/words.js";
import { copy } from "./answers.js";
import { shownExchange } from "./exchange.js";
import { showText } from "./form.js";

const AGAIN_MS = 500; // while an answer is being written

/** The dialog; one for all answers. */
export class Detail {
  #image = make("img", { id: "detail-frame" });
  #about = make("p", { id: "detail-about", class: "quiet", dir: "auto" });
  #text = make("div", { id: "detail-text", class: "text", dir: "auto" });
  #numbers = make("dl", { id: "detail-numbers", class: "pairs" });
  #body = make("div", { id: "exchange-body", class: "exchange" });
  #exchange = make("details", { id: "exchange" }, told(make("summary"), "exchange"), this.#body);
  #copy = told(make("button", { type: "button", class: "small" }), "exchange.copy");
  #dialog = make("dialog", { id: "detail", class: "detail", closedBy: "any" });
  #answer = null;
  #told = null; // the exchange that is shown

  constructor() {
    const close = told(make("button", { class: "small", type: "submit" }), "close");
    const head = make("form", { method: "dialog" }, close);
    this.#dialog.append(head, this.#image, this.#about, this.#text, this.#numbers, this.#exchange);
    this.#dialog.setAttribute("data-say-aria-label", "answer");
    this.#image.setAttribute("data-say-alt", "answer.frame");
    this.#exchange.addEventListener("toggle", () => this.#exchange.open && this.#load());
    this.#copy.addEventListener("click", () => copy(this.#copy, JSON.stringify(this.#told, null, 2), "exchange.copy"));
    document.body.append(this.#dialog);
  }

  /**
   * Show an answer, or a question that failed, which has an `error` and no text.
   *
   * @param {object} answer
   * @param {Promise<string>} picture the address of its picture.
   * @param {boolean} withExchange whether to show what was sent and came back at once.
   */
  show(answer, picture, withExchange) {
    this.#answer = answer;
    this.#told = null;
    this.#dialog.setAttribute("aria-label", say("answer"));
    this.#image.alt = say("answer.frame");
    this.#image.removeAttribute("src");
    this.#image.hidden = false;
    const isShown = () => answer === this.#answer;
    picture.then(
      (there) => isShown() && (this.#image.src = there),
      () => isShown() && (this.#image.hidden = true),
    );
    this.#describe(answer);
    if (answer.error) {
      const { message, remedy } = answer.error;
      const problem = make("p", { class: "problem" }, sentence(message));
      this.#text.replaceChildren(problem, make("p", { class: "quiet" }, translated(remedy)));
    } else {
      showText(this.#text, answer.text);
    }
    this.#count(answer);
    this.#body.replaceChildren();
    this.#dialog.showModal();
    this.#dialog.scrollTop = 0;
    if (this.#exchange.open) this.#load();
    else if (withExchange) this.#exchange.open = true;
    if (withExchange) this.#exchange.querySelector("summary").focus();
  }

  #describe({ at, model, prompt, system_prompt: system }) {
    const words = at ? [timeOfDay(at), modelName(model), say("answer.question", { prompt })] : [];
    if (system) words.push(say("answer.system-prompt", { prompt: system }));
    setText(this.#about, words.join(" · "));
  }

  #count({ numbers }) {
    this.#numbers.replaceChildren(...pairs(numbers ? numbersOf(numbers) : []));
  }

  async #load() {
    const answer = this.#answer;
    const isFirst = !this.#told;
    let shown;
    try {
      const exchange = await ask("GET", answer.frame.replace(/frame\.jpg$/, "exchange"));
      if (answer !== this.#answer) return;
      this.#told = exchange;
      this.#describe(exchange);
      shown = [this.#copy, ...shownExchange(exchange)];
      if (exchange.numbers && !answer.numbers) {
        this.#count(exchange);
        showText(this.#text, exchange.response.text);
      } else if (!exchange.numbers && !exchange.error) {
        setTimeout(() => answer === this.#answer && this.#dialog.open && this.#load(), AGAIN_MS);
      }
    } catch (failure) {
      if (answer !== this.#answer || !isFirst) return; // given up meanwhile: what it was stays
      shown = [make("p", { class: "quiet" }, sentence(failure.message), " ", translated(failure.remedy))];
    }
    this.#body.replaceChildren(...shown);
    if (isFirst) this.#exchange.scrollIntoView();
    if (answer.error && !this.#told) this.#image.hidden = true;
  }
}

function told(target, key) {
  tell(target, key);
  return target;
}

const pairs = (named) => named.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)));
