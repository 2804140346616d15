// The page's texts, in the language of the page. The server has filled in those of the document.

const COOKIE_SECONDS = 400 * 24 * 3600; // the longest that browsers keep one
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

/** Change the language of the page, and remember it; `onChange()` is called before the next paint. */
export async function speak(wanted, onChange) {
  const response = await fetch(`static/words/${wanted}.json`);
  if (!response.ok) return;
  words = (await response.json()).page;
  language = wanted;
  plurals = new Intl.PluralRules(language);
  document.documentElement.lang = language;
  // A cookie, since the server fills in the texts; below a path, it belongs to that path.
  document.cookie = `language=${wanted};max-age=${COOKIE_SECONDS};path=${new URL(document.baseURI).pathname};samesite=lax`;
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
