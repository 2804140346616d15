// The page: connects its controls to the camera and shows how camera and server are.

import { Camera, explain, listCameras, obstacle } from "./camera.js";
import { watchServer } from "./health.js";

const element = (id) => document.getElementById(id);
const video = element("video");
const stage = element("stage");
const toggle = element("toggle");
const picker = element("picker");
const mirror = element("mirror");
const fullscreen = element("fullscreen");

const OFF = "The camera is off. Start it and your browser will ask for permission.";

// Camera

const camera = new Camera(video, () => show("failed", "The camera was disconnected. Connect it, then start again."));

/** Show the camera's state ("off", "starting", "on" or "failed"); `message` stands where the picture would. */
function show(state, message) {
  stage.dataset.state = state;
  element("message").textContent = message;
  element("camera-state").textContent = { off: "Off", starting: "Starting", on: describePicture(), failed: "No picture" }[state];
  toggle.textContent = { off: "Start camera", starting: "Cancel", on: "Stop camera", failed: "Start camera" }[state];
  fullscreen.disabled = state !== "on";
}

function describePicture() {
  return video.videoWidth ? `${camera.label}, ${video.videoWidth} × ${video.videoHeight}` : camera.label;
}

async function start() {
  show("starting", "Waiting for the camera. If your browser asks, allow it.");
  try {
    if (!(await camera.open(picker.value))) return;
  } catch (error) {
    show("failed", explain(error));
    await fillPicker();
    return;
  }
  show("on", "");
  await fillPicker();
}

function stop() {
  camera.stop();
  show("off", OFF);
}

async function fillPicker() {
  const cameras = await listCameras();
  if (cameras.length === 0) return;
  const chosen = camera.deviceId || picker.value;
  picker.replaceChildren(...cameras.map(({ id, label }) => new Option(label, id, false, id === chosen)));
  picker.disabled = false;
}

toggle.addEventListener("click", () => (["on", "starting"].includes(stage.dataset.state) ? stop() : start()));
picker.addEventListener("change", () => stage.dataset.state === "on" && start());
video.addEventListener("resize", () => {
  if (video.videoWidth) stage.style.setProperty("--picture-ratio", `${video.videoWidth} / ${video.videoHeight}`);
  if (stage.dataset.state === "on") show("on", "");
});

// Mirror, remembered in this browser

function setMirror(on) {
  stage.classList.toggle("mirrored", on);
  mirror.setAttribute("aria-pressed", String(on));
}

mirror.addEventListener("click", () => {
  const on = !stage.classList.contains("mirrored");
  setMirror(on);
  try {
    localStorage.setItem("mirror", String(on));
  } catch {
    // Storage is switched off in this browser: the choice lasts as long as the page.
  }
});

try {
  setMirror(localStorage.getItem("mirror") === "true");
} catch {
  setMirror(false);
}

// Fullscreen: of the stage where the browser can, of the video alone on an iPhone

fullscreen.hidden = !document.fullscreenEnabled && !video.webkitEnterFullscreen;
fullscreen.addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (document.fullscreenEnabled) stage.requestFullscreen();
  else video.webkitEnterFullscreen();
});

// Server

let firstVersion = null;

watchServer((version) => {
  const gone = version === null;
  const notice = element("notice");
  element("health").dataset.state = gone ? "gone" : "ok";
  element("health-text").textContent = gone ? "Server gone" : "Server running";
  if (!gone) {
    firstVersion ??= version;
    element("version").textContent = version;
  }
  const replaced = !gone && version !== firstVersion;
  const text = gone
    ? "The server does not answer. If it was stopped, start live-vlm-webui again; this page reconnects by itself."
    : "The server was replaced by another version. Reload this page to use it.";
  notice.hidden = !(gone || replaced);
  if (!notice.hidden && notice.textContent !== text) notice.textContent = text;
});

// At the start

const hindrance = obstacle();
if (hindrance) {
  toggle.disabled = true;
  show("failed", hindrance);
} else {
  show("off", OFF);
  navigator.mediaDevices.addEventListener("devicechange", fillPicker);
}
