// Connects the parts of the page to a session of the server.

import { ask, fault } from "./common/api.js";
import { LiveAnswer, showModel } from "./answers/answers.js";
import { Connection } from "./common/connection.js";
import { element, keepForServer, recall, setText } from "./common/dom.js";
import { History, open, showPercentiles } from "./answers/history.js";
import { prepareForm } from "./answers/form.js";
import { redrawFigures } from "./answers/records.js";
import { whenNeeded } from "./common/later.js";
import { signIn, signOut } from "./common/login.js";
import { Changes } from "./question/changes.js";
import { Models } from "./question/models.js";
import { attempt, notify, redrawNotices, withdraw } from "./common/notices.js";
import { Prompts } from "./question/prompts.js";
import { SettingControls } from "./question/settings.js";
import { Source } from "./camera/source.js";
import { prepareStage } from "./camera/stage.js";
import { SystemCard } from "./system/system.js";
import { languageNow, listen, speak, tell, translated, translatedIfKnown } from "./common/words.js";

const GONE = fault("fault.gone");
const REJECTED = 4000; // from this close code on, the server has sent the reason in an error event
const REPLACED = fault("fault.version");

const failSource = (failure) => notify("source", failure);
const live = new LiveAnswer(open);
const history = new History();
const models = new Models(() => connection.session, change);
const prompts = new Prompts(change);
const controls = new SettingControls(change);
const changes = new Changes(async (patch) => (await ask("PATCH", `/api/sessions/${encodeURIComponent(connection.session)}`, patch)).settings);
const system = new SystemCard();
const connection = new Connection(rememberedSession(), { onEvent: take, onState: showConnection, mayOpen: signIn });

prepareStage();
const source = new Source(connection, failSource, () => withdraw("source"));

let settings = recallSettings(); // with the changes on their way
let confirmed = settings; // by the server
let camera = null;
let id = rememberedSession();
let isOwn = false; // whether this page began the session, rather than joining it
let version = "";
let model = {};
let percentiles = null;
let lastAnswer = null;

const EVENTS = {
  session(event) {
    const replaces = id && id !== event.id; // the session before ended, with the server or after a long absence
    const wanted = settings;
    isOwn = !id || (isOwn && replaces);
    remember(event.id);
    withdraw("server");
    withdraw("message");
    version ||= event.version;
    setText(element("version"), event.version);
    if (event.version !== version) notify("version", REPLACED);
    applySettings(event.settings);
    EVENTS.model({ model: event.model });
    history.reset(event.id, event.answers, replaces);
    lastAnswer = event.answers.at(-1) ?? null;
    live.reset(event, replaces);
    showPercentiles((percentiles = event.percentiles));
    history.holds(event.history);
    system.reset(event.system);
    connection.expect(event.system.interval);
    camera = event.camera;
    source.apply(camera, true);
    if (replaces) restore(wanted, event.settings);
    askInOurLanguage();
    hint();
    models.list();
  },
  settings: (event) => applySettings(event.settings),
  camera(event) {
    camera = event.camera;
    source.apply(camera);
    hint();
  },
  model(event) {
    model = event;
    showModel(event.model, event.error);
    if (event.model) live.ask(event.model);
    models.answeredBy(event.model);
    tellPanel();
  },
  "answer.started": (event) => live.started(event),
  "answer.delta": (event) => live.delta(event),
  "answer.finished"(event) {
    history.holds(event.history);
    const answer = live.finished(event);
    if (answer) history.add((lastAnswer = answer));
    tellPanel();
    showPercentiles((percentiles = event.percentiles));
  },
  "answer.failed": (event) => live.failed(event),
  system(event) {
    system.apply(event);
    connection.expect(event.interval);
  },
  closing: ({ reason }) => notify("server", { message: reason, remedy: GONE.remedy }),
  error: ({ error }) => notify("message", error),
};

function take(event) {
  EVENTS[event.type]?.(event);
}

function applySettings(now, refused = false) {
  confirmed = now;
  settings = changes.over(now);
  store("settings", JSON.stringify(settings));
  prompts.apply(settings.prompt, refused);
  models.apply(settings);
  controls.apply(settings, refused);
  settingsPanel.now?.apply(settings, refused);
  tellPanel();
  hint();
}

/** Send a change of settings; the session sends the result to all its browsers. Returns whether it was made. */
async function change(patch) {
  const made = changes.make(patch);
  if (confirmed) applySettings(confirmed);
  const work = async () => {
    const result = await made; // before `confirmed` is read: it may change meanwhile
    applySettings({ ...confirmed, ...result });
  };
  const isMade = await attempt("settings", work);
  if (!isMade && confirmed) applySettings(confirmed, true);
  return isMade;
}

/** Bring a new session to where the one before it was: its settings, and its source if this page started it. */
async function restore(wanted, found) {
  const differs = ([name, value]) => name in found && JSON.stringify(value) !== JSON.stringify(found[name]);
  const patch = Object.entries(wanted ?? {}).filter(differs);
  if (patch.length > 0) await change(Object.fromEntries(patch));
  source.restore();
}

/** Let models answer in the language of the page, if this page began the session and nothing else was asked for. */
function askInOurLanguage() {
  const prompt = translatedIfKnown(settings?.prompt);
  if (isOwn && prompt !== settings?.prompt) change({ prompt });
}

function hint() {
  live.current(connection.isOpen && (camera?.state === "live" || camera?.kind === "picture"));
  if (settings?.paused) live.hint("paused");
  else if (!camera) live.hint("start");
  else if (camera.state === "live") live.hint("soon");
  else live.hint("frame", translated(camera.detail));
}

function showConnection(state, code = 0, failure = null) {
  element("connection").dataset.state = state;
  tell(element("connection-text"), `connection.${state}`);
  if (state === "lost" && code < REJECTED) notify("server", failure ?? GONE);
  source.connected(state === "open");
  hint();
}

/** The session of this tab: the one in the address, else the one before a reload. */
function rememberedSession() {
  const named = new URLSearchParams(location.hash.slice(1)).get("session");
  try {
    return named ?? sessionStorage.getItem("session") ?? "";
  } catch {
    return named ?? "";
  }
}

function remember(session) {
  id = session;
  store("session", session);
}

/** The settings of the session before a reload, or null. */
function recallSettings() {
  try {
    return JSON.parse(sessionStorage.getItem("settings"));
  } catch {
    return null;
  }
}

/** Keep a text for this tab, over reloads. */
function store(name, text) {
  try {
    sessionStorage.setItem(name, text);
  } catch {
    // Storage is disabled in this browser: a reload starts a new session.
  }
}

element("language").addEventListener("change", async ({ target }) => {
  withdraw("language");
  if (await speak(target.value, redraw)) return;
  notify("language", fault("fault.silent"));
  for (const list of document.querySelectorAll("#language, #settings-language")) list.value = languageNow();
});

/** Show in the language of the page what is not told by `tell`. */
function redraw() {
  redrawNotices();
  if (settings) {
    prompts.apply(settings.prompt);
    showModel(model.model, model.error);
  }
  if (percentiles) showPercentiles(percentiles); // after a reload, settings are known before the session is
  models.redraw();
  source.redraw();
  live.redraw();
  history.redraw();
  redrawFigures();
  system.redraw();
  tellPanel();
  hint();
}

const keys = whenNeeded(() => import("./panels/keys.js"));
const showKeys = async () => (await keys())?.showList();
const settingsPanel = whenNeeded(async () => new (await import("./panels/settings.js")).SettingsPanel(change, showKeys));

element("open-settings").addEventListener("click", async () => {
  const panel = await settingsPanel();
  if (!panel || !settings) return;
  panel.apply(settings);
  tellPanel();
  panel.open();
});

function tellPanel() {
  settingsPanel.now?.tellOf(model.model, lastAnswer);
}

const TYPED_INTO = "input:not([type=checkbox], [type=radio]), textarea, select";

// Single keys: those that browsers and screen readers have for themselves come with another, or do not arrive.
document.addEventListener("keydown", (event) => {
  const isTyped = event.target.closest?.(TYPED_INTO) || event.isComposing;
  if (event.key.length !== 1 || event.key === " " || event.ctrlKey || event.altKey || event.metaKey || isTyped) return;
  if (element("main").hidden || document.querySelector("dialog[open]")) return;
  if (keys.now) keys.now.press(event);
  else keys().then((loaded) => loaded?.press(event));
});
if (recall("keys", true) === false) keys(); // which then says so to screen readers

prepareForm(() => {
  live.redraw();
  history.redraw();
});

// The server has applied the stored choice.
element("theme").value = document.documentElement.dataset.theme ?? "";
element("theme").addEventListener("change", ({ target }) => {
  if (target.value) document.documentElement.dataset.theme = target.value;
  else delete document.documentElement.dataset.theme;
  keepForServer("theme", target.value);
});

element("sign-out").addEventListener("click", () => attempt("sign-out", signOut));

const invitation = whenNeeded(() => import("./common/invite.js"));
element("show-code").addEventListener("click", async () => {
  const loaded = await invitation();
  if (!loaded) return;
  if (!element("invite").hasChildNodes()) loaded.prepareInvitation();
  await loaded.invite();
});

connection.start();
listen(redraw);
