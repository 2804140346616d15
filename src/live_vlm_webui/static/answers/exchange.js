// What was sent for an answer, and what came back, for people.

import { sentence } from "../common/api.js";
import { make } from "../common/dom.js";
import { modelName } from "../common/format.js";
import { number, say, translated } from "../common/words.js";

/** Return the nodes that show an exchange of the API. */
export function shownExchange({ model, prompt, system_prompt: system, pictures, request, refused, left_out: leftOut, response, error }) {
  const sent = [[say("model"), modelName(model)]];
  if (request) {
    sent.push([say("exchange.key"), say(request.with_key ? "exchange.key.sent" : "exchange.key.none")]);
  }
  sent.push([say("exchange.pictures"), pictures.map(inPixels).join(", ")]);
  const { model: _, messages = [], ...parameters } = request?.body ?? {};
  const isInPrompt = system && request && !messages.some(({ role }) => role === "system");
  const came = [];
  if (response.status !== null) came.push([say("exchange.status"), `HTTP ${response.status}`]);
  if (response.finish_reason) came.push([say("exchange.finish"), make("code", {}, response.finish_reason)]);
  came.push(...Object.entries(flat(response.usage)).map(([name, count]) => [make("code", {}, name), number(count)]));
  if (response.message) came.push([say("exchange.message"), response.message]);
  return [
    make("h3", {}, say("exchange.request")),
    ...(request ? [] : [make("p", { class: "quiet" }, say("exchange.nothing-sent"))]),
    list(sent),
    ...(request ? text("exchange.address", `${request.method} ${request.url}`) : []),
    ...text("settings.system-prompt", system),
    ...(isInPrompt ? [make("p", { class: "quiet" }, say("exchange.system-in-prompt"))] : []),
    ...text("question", prompt),
    ...(Object.keys(parameters).length ? [name(say("exchange.parameters")), list(Object.entries(parameters).map(asCode))] : []),
    ...(leftOut.length ? [make("p", {}, say("exchange.left-out", { names: leftOut.join(", ") }))] : []),
    ...refused.map(({ status, message }) => make("p", { class: "quiet" }, say("exchange.refused", { status: String(status), message }))),
    make("h3", {}, say("exchange.response")),
    ...(came.length ? [list(came)] : []),
    ...text("answer.thoughts", response.thoughts),
    ...text("exchange.text", response.text),
    ...(error ? [make("p", { class: "problem" }, sentence(error.message)), make("p", { class: "quiet" }, translated(error.remedy))] : []),
  ];
}

const inPixels = ({ width, height, bytes }) => say("exchange.picture", { width: String(width), height: String(height), size: number(bytes / 1000, 1) });

const asCode = ([key, value]) => [make("code", {}, key), make("code", {}, JSON.stringify(value))];

/** Return numbers of objects within an object under joined names. */
const flat = (usage) =>
  Object.fromEntries(
    Object.entries(usage).flatMap(([key, value]) =>
      typeof value === "object" ? Object.entries(value).map(([inner, count]) => [`${key}.${inner}`, count]) : [[key, value]],
    ),
  );

const name = (words) => make("p", { class: "name" }, words);

/** Return a named text as it is; nothing for an empty one. */
function text(key, whole) {
  return whole ? [name(say(key)), make("pre", { class: "raw", dir: "auto" }, whole)] : [];
}

function list(pairs) {
  return make("dl", { class: "pairs" }, ...pairs.map(([key, value]) => make("div", {}, make("dt", {}, key), make("dd", {}, value))));
}
