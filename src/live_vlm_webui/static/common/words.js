// The page's texts, in the language of the page. The server has filled in those of the document.

import { keepForServer } from "./dom.js";

const ENGLISH = "en"; // the server's language
const ATTRIBUTES = ["alt", "aria-label", "placeholder", "title"];

let language = document.documentElement.lang;
let words = JSON.parse(document.getElementById("words").textContent);
let plurals = new Intl.PluralRules(language);
const parametersOf = new WeakMap(); // of the texts that `tell` has set

/** The language of the page, such as "de". */
export const languageNow = () => language;

/**
 * Return a text.
 *
 * @param {string} key its name in words/LANGUAGE.json.
 * @param {Object<string, string | number>} parameters what its {placeholders} stand for. Of a text with several forms,
 *   `count` chooses the one.
 */
export function say(key, parameters = {}) {
  const found = words[key];
  const text = typeof found === "string" ? found : (found[plurals.select(parameters.count)] ?? found.other);
  return text.replace(/\{(\w+)\}/g, (whole, name) => formatted(parameters[name]));
}

/** Set an element's text, if it differs, to one that follows a change of the language. */
export function tell(target, key, parameters = {}) {
  target.dataset.say = key;
  parametersOf.set(target, parameters);
  const text = say(key, parameters);
  if (target.textContent !== text) target.textContent = text;
}

/** Format a number; with `digits`, that many decimal places. */
export function number(value, digits) {
  const places = digits === undefined ? {} : { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(language, places).format(value);
}

const formatted = (value) => (typeof value === "number" ? number(value) : value);

let sentences = {}; // of the server, by their English
let patterns = null;

/**
 * Return a text of the server in the language of the page; in English if that has no sentence for it.
 *
 * The server's English, with {placeholders}, is the name of a sentence. What stands for a placeholder may be one itself, and
 * a text may be two, what happened and what to do.
 */
export function translated(text) {
  if (!text || Object.keys(sentences).length === 0) return text;
  const whole = sentenceOf(text);
  if (whole !== null) return whole;
  for (let at = text.indexOf(". "); at >= 0; at = text.indexOf(". ", at + 1)) {
    const first = sentenceOf(text.slice(0, at));
    const second = sentenceOf(text.slice(at + 2));
    if (first !== null && second !== null) return `${first}. ${second}`;
  }
  return text;
}

function sentenceOf(text) {
  patterns ??= Object.entries(sentences).map(patternOf).sort((one, other) => other.literal - one.literal);
  for (const { pattern, names, said } of patterns) {
    const found = pattern.exec(text);
    if (!found) continue;
    const parts = Object.fromEntries(names.map((name, at) => [name, found[at + 1]]));
    return said.replace(/\{(\w+)\}/g, (whole, name) => sentences[parts[name]] ?? parts[name]);
  }
  return null;
}

/** Return what recognises a sentence; the one with the most text of its own is tried first. */
function patternOf([english, said]) {
  const pieces = english.split(/\{(\w+)\}/);
  const source = pieces.map((piece, at) => (at % 2 ? "(.*?)" : piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
  const literal = pieces.reduce((sum, piece, at) => sum + (at % 2 ? 0 : piece.length), 0);
  return { pattern: new RegExp(`^${source.join("")}$`, "s"), names: pieces.filter((_, at) => at % 2), said, literal };
}

/** Load the server's sentences, which English needs not; then `onChange()` is called if there are any. */
export async function learn(onChange) {
  if (language === ENGLISH) return;
  take(await load(language));
  onChange();
}

async function load(wanted) {
  const response = await fetch(`static/words/${wanted}.json`).catch(() => null);
  return response?.ok ? await response.json() : null;
}

function take(file) {
  words = file?.page ?? words;
  sentences = file?.server ?? {};
  patterns = null;
}

/** Change the language of the page, and remember it; `onChange()` is called before the next paint. */
export async function speak(wanted, onChange) {
  const file = await load(wanted);
  if (!file) return;
  take(file);
  language = wanted;
  plurals = new Intl.PluralRules(language);
  document.documentElement.lang = language;
  keepForServer("language", wanted);
  for (const target of document.querySelectorAll("[data-say]")) {
    target.textContent = say(target.dataset.say, parametersOf.get(target));
  }
  for (const name of ATTRIBUTES) {
    for (const target of document.querySelectorAll(`[data-say-${name}]`)) {
      target.setAttribute(name, say(target.getAttribute(`data-say-${name}`)));
    }
  }
  onChange();
}
