// Numbers by model and prompt, with small charts.

import { element, make } from "../common/dom.js";
import { duration, modelName } from "../common/format.js";
import { number, say } from "../common/words.js";
import { Sparkline } from "../system/sparkline.js";

const PLACES = 60;
const LEAST_MS = 500; // between drawings: charts that move faster cannot be read
let timer = 0;
let next = null; // what came since the last drawing

/** Draw groups of {model, system, prompt, numbers}, soon. */
export function drawFigures(groups) {
  next = groups;
  timer ||= setTimeout(draw, 0);
}

function draw() {
  timer = 0;
  if (!next) return;
  element("figures-list").replaceChildren(...next.map(drawn));
  next = null;
  timer = setTimeout(draw, LEAST_MS);
}

function drawn({ model, system, prompt, numbers }) {
  return make(
    "section",
    { class: "figure-group" },
    make("p", {}, make("strong", {}, modelName(model)), ` · ${say("percentiles.answers", { count: numbers.length })}`),
    make("p", { class: "quiet figure-prompt", dir: "auto", title: prompt }, prompt),
    ...(system ? [systemPrompt(say("answer.system-prompt", { prompt: system }))] : []),
    chart(say("figures.first-token"), numbers.map(({ first_token: first }) => first), inTime),
    chart(say("figures.total"), numbers.map(({ total }) => total), inTime),
    chart(say("figures.speed"), numbers.map(({ tokens_per_second: speed }) => speed), inTokens),
  );
}

const systemPrompt = (words) => make("p", { class: "quiet figure-prompt", dir: "auto", title: words }, words);

function inTime(sorted) {
  return say("figures.time", { half: duration(at(sorted, 0.5)), most: duration(at(sorted, 0.95)) });
}

/** Of speeds, the slow ones are the bad ones. */
function inTokens(sorted) {
  return say("figures.tokens", { half: number(at(sorted, 0.5), 1), most: number(at(sorted, 0.05), 1) });
}

function chart(label, figures, words) {
  const sorted = figures.filter((figure) => figure !== null).sort((one, other) => one - other);
  const line = new Sparkline(PLACES);
  line.draw(figures, 0);
  const said = sorted.length ? words(sorted) : say("figures.none");
  return make("div", { class: "figure" }, make("p", {}, label), make("p", { class: "quiet" }, said), line.node);
}

/** Return the figure below which a share of all is, by the nearest rank. */
const at = (sorted, share) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
