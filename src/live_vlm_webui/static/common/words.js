// The page's texts, in the language of the page. The server has filled in those of the document.

import { keepForServer } from "./dom.js";

const ENGLISH = "en"; // the server's language
const AGAIN_MS = 5000; // after a language could not be loaded
const MOST_MARKS = 12; // places where a text of the server is divided
const ATTRIBUTES = ["alt", "aria-label", "placeholder", "title"];

let language = document.documentElement.lang;
const given = JSON.parse(document.getElementById("words").textContent);
let words = given.page;
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

let sentences = given.early ?? {}; // of the server, by their English
let patterns = null;
let ours = null;
let isWhole = language === ENGLISH; // whether there are no more
let learning = null;
let onLearnt = () => {};
let wishes = 0; // how often a language was chosen

/**
 * Return a text of the server in the language of the page; in English if that has no sentence for it.
 *
 * The server's English, with {placeholders}, is the name of a sentence. What stands for a placeholder may be one itself, and
 * a text may be several: what happened and what to do, or all that is wrong with what was sent. Sentences that the page
 * needs only now are loaded now, and shown when they are there.
 */
export function translated(text) {
  if (!text) return text;
  const found = translation(text);
  if (found === null && !isWhole && !isOurs(text)) learning ??= learnAll();
  return found ?? text;
}

/** Whether a text is the page's, in its language already. */
const isOurs = (text) => (ours ??= new Set(Object.values(words))).has(text);

/** Return a text of the server in the language of the page, if that is known already; else in English. */
export const translatedIfKnown = (text) => (text && translation(text)) ?? text;

/**
 * Return a text that is known sentences, or null. What is computed in a sentence can be anything, so of several divisions
 * the one counts in which the least is computed.
 */
function translation(text) {
  return language === ENGLISH ? null : (divided(text, new Map())?.said ?? null);
}

function divided(text, known) {
  if (known.has(text)) return known.get(text);
  let best = sentenceOf(text);
  for (const { index, 0: mark } of [...text.matchAll(/[;.] /g)].slice(0, MOST_MARKS)) {
    const first = sentenceOf(text.slice(0, index));
    const others = first && divided(text.slice(index + mark.length), known);
    if (!others || first.literal + others.literal <= (best?.literal ?? 0)) continue;
    best = { said: `${first.said}${mark}${others.said}`, literal: first.literal + others.literal };
  }
  known.set(text, best);
  return best;
}

function sentenceOf(text) {
  patterns ??= Object.entries(sentences).map(patternOf).sort((one, other) => other.literal - one.literal);
  for (const { pattern, names, said, literal } of patterns) {
    const found = pattern.exec(text);
    if (!found) continue;
    const parts = Object.fromEntries(names.map((name, at) => [name, found[at + 1]]));
    return { said: said.replace(/\{(\w+)\}/g, (whole, name) => sentences[parts[name]] ?? parts[name]), literal };
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

/** Call `onChange()` whenever sentences of the server have been loaded that were needed before. */
export function listen(onChange) {
  onLearnt = onChange;
}

async function learnAll() {
  const asked = language;
  const file = await load(asked);
  if (!file) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  learning = null;
  if (!file || asked !== language) return;
  take(file);
  onLearnt();
}

async function load(wanted) {
  const response = await fetch(`static/words/${wanted}.json`).catch(() => null);
  return response?.ok ? await response.json() : null;
}

function take(file) {
  words = file.page;
  sentences = { ...file.early, ...file.server };
  patterns = ours = null;
  isWhole = true;
}

/**
 * Change the language of the page, and remember it; `onChange()` is called before the next paint.
 *
 * @returns {Promise<boolean>} false if the language could not be loaded.
 */
export async function speak(wanted, onChange) {
  const wish = (wishes += 1);
  const file = await load(wanted);
  if (wish !== wishes) return true; // another was chosen meanwhile
  if (!file) return false;
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
  return true;
}
