// Small help with the document. Text from models and servers becomes text nodes, never markup.

export const element = (id) => document.getElementById(id);

/**
 * Make an element.
 *
 * @param {string} tag its name.
 * @param {object} properties set on it; `class` is its className.
 * @param {...(Node | string)} children texts become text nodes.
 */
export function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  const { class: className, ...others } = properties;
  if (className) made.className = className;
  Object.assign(made, others);
  made.append(...children);
  return made;
}

/** Set an element's text, if it is another: so that nothing is announced again, and no selection is lost. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** What is kept in this browser, or `otherwise`. */
export function recall(key, otherwise) {
  try {
    const kept = localStorage.getItem(key);
    return kept === null ? otherwise : JSON.parse(kept);
  } catch {
    return otherwise; // storage is switched off, or somebody else wrote there
  }
}

/** Keep a value in this browser; where storage is switched off it lasts as long as the page. */
export function keep(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // See above.
  }
}
