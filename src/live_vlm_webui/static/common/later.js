// What is loaded when it is first needed, with the style sheet of all such parts.

import { fault } from "./api.js";
import { make } from "./dom.js";
import { notify, withdraw } from "./notices.js";

let sheet = null;

/**
 * Return a function that makes a part with `load()` when it is first called, and returns a promise of it; of null, with a
 * notice, if the server does not respond. Its property `now` is the part, or null as long as there is none.
 */
export function whenNeeded(load) {
  let making = null;
  const get = async () => {
    making ??= Promise.all([load(), (sheet ??= loadSheet())]);
    try {
      [get.now] = await making;
      withdraw("later");
    } catch {
      making = null;
      notify("later", fault("fault.silent"));
    }
    return get.now;
  };
  get.now = null;
  return get;
}

function loadSheet() {
  const link = make("link", { rel: "stylesheet", href: "static/css/panels.css" });
  const loaded = new Promise((resolve, reject) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", () => {
      link.remove();
      sheet = null;
      reject(new Error("no style sheet"));
    });
  });
  document.head.append(link);
  return loaded;
}
