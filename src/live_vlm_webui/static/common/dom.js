// Helpers for the document. Text from models and servers becomes text nodes, never markup.

const COOKIE_SECONDS = 400 * 24 * 3600; // the longest that browsers keep one

export const element = (id) => document.getElementById(id);

/**
 * Create an element.
 *
 * @param {string} tag its tag name.
 * @param {object} properties its properties; `class` sets className.
 * @param {...(Node | string)} children its children; strings become text nodes.
 */
export function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  const { class: className, ...others } = properties;
  if (className) made.className = className;
  Object.assign(made, others);
  made.append(...children);
  return made;
}

/** Set an element's text if it differs, so that nothing is announced again and no selection is lost. */
export function setText(target, text) {
  delete target.dataset.say; // it follows the language no more
  if (target.textContent !== text) target.textContent = text;
}

/** Return a value stored in this browser, or `otherwise`. */
export function recall(key, otherwise) {
  try {
    const kept = localStorage.getItem(key);
    return kept === null ? otherwise : JSON.parse(kept);
  } catch {
    return otherwise; // storage is disabled, or the value is not ours
  }
}

/** Store a value in this browser; if storage is disabled, it lasts as long as the page. */
export function keep(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // See above.
  }
}

/** Store a choice in this browser that the server needs for the first paint. Below a path, it belongs to that path. */
export function keepForServer(name, value) {
  const path = new URL(document.baseURI).pathname;
  document.cookie = `${name}=${value};max-age=${COOKIE_SECONDS};path=${path};samesite=lax`;
}
