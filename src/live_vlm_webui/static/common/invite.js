// A link and QR code that sign one more browser in, on the page of one that is signed in. Loaded when it is asked for.

import { copy } from "../answers/answers.js";
import { ask, sentences } from "./api.js";
import { element, make, setText } from "./dom.js";
import { timeOfDay } from "./format.js";
import { tell } from "./words.js";

const dialog = element("invite");
let timer = 0;

/** Show a new code, which invalidates the one before. */
export async function invite() {
  if (!dialog.open) dialog.showModal();
  clearTimeout(timer);
  const problem = element("invite-error");
  problem.hidden = true;
  try {
    const { url, seconds, qr } = await ask("POST", "/api/login/code", { path: new URL(".", document.baseURI).pathname });
    element("invite-qr").src = qr;
    setText(element("invite-link"), url);
    tell(element("invite-until"), "invite.until", { time: timeOfDay(Date.now() + seconds * 1000) });
    timer = setTimeout(expire, seconds * 1000);
    dialog.dataset.state = "valid";
  } catch (failure) {
    expire();
    setText(problem, sentences(failure));
    problem.hidden = false;
  }
}

/** Show no code that does not work, and leave none in the document. */
function expire() {
  clearTimeout(timer);
  dialog.dataset.state = "expired";
  element("invite-qr").removeAttribute("src");
  setText(element("invite-link"), "");
  tell(element("invite-until"), "invite.expired");
}

/** Fill the dialog, once. */
export function prepareInvitation() {
  const told = (tag, key, more = {}) => {
    const made = make(tag, more);
    tell(made, key);
    return made;
  };
  const copying = told("button", "answer.copy", { type: "button", class: "small" });
  copying.addEventListener("click", () => copy(copying, element("invite-link").textContent));
  const again = told("button", "invite.again", { type: "button", class: "small" });
  again.addEventListener("click", invite);
  const qr = make("img", { id: "invite-qr" });
  qr.setAttribute("aria-hidden", "true"); // the link says the same
  dialog.append(
    make("form", { method: "dialog" }, told("h2", "invite"), told("button", "close", { type: "submit", class: "small" })),
    told("p", "invite.how", { class: "quiet" }),
    qr,
    make("p", { class: "command" }, make("code", { id: "invite-link" }), copying),
    make("p", { id: "invite-error", class: "problem", hidden: true, role: "alert" }),
    make("div", { class: "invite-foot" }, make("p", { id: "invite-until", class: "quiet", role: "status" }), again),
  );
  dialog.addEventListener("close", expire);
}
