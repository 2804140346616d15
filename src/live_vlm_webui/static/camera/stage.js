// The picture on the page: the video of this browser's camera, the server's preview, or a message.

import { element, keep, recall, setText } from "../common/dom.js";
import { translated } from "../common/words.js";

const stage = element("stage");
const video = element("video");
const preview = element("preview");
const mirror = element("mirror");
const fullscreen = element("fullscreen");

const NOTHING = { message: "" };

let message = () => NOTHING;

/**
 * Show the state of the picture.
 *
 * @param {"off" | "starting" | "on" | "failed"} state
 * @param {() => {message: string, remedy?: string}} words returns what is shown instead of the picture, in the language of the page:
 *   what happened, and what to do.
 */
export function show(state, words = () => NOTHING) {
  stage.dataset.state = state;
  message = words;
  redrawMessage();
}

/** Show the message in the language of the page. */
export function redrawMessage() {
  const { message: what, remedy = "" } = message();
  setText(element("message"), translated(what));
  setText(element("todo"), translated(remedy));
}

/** Show the video element of this browser's camera. */
export function showVideo() {
  stage.dataset.shows = "video";
  preview.hidden = true;
  preview.removeAttribute("src");
  fit(video.videoWidth, video.videoHeight);
}

/** Show an image: the server's preview, or an object URL of this page. */
export function showImage(address) {
  stage.dataset.shows = "image";
  preview.hidden = false;
  if (preview.getAttribute("src") !== address) preview.src = address;
}

/** Show the newest answer over the picture, in full screen only. */
export function caption(text) {
  setText(element("caption"), text);
}

function fit(width, height) {
  if (width && height) stage.style.setProperty("--picture-ratio", `${width} / ${height}`);
}

function setMirror(on) {
  stage.classList.toggle("mirrored", on);
  mirror.setAttribute("aria-pressed", String(on));
}

/** Connect the controls of the picture. */
export function prepareStage() {
  video.addEventListener("resize", () => stage.dataset.shows === "video" && fit(video.videoWidth, video.videoHeight));
  preview.addEventListener("load", () => fit(preview.naturalWidth, preview.naturalHeight));

  setMirror(recall("mirror", false));
  mirror.addEventListener("click", () => {
    const on = !stage.classList.contains("mirrored");
    setMirror(on);
    keep("mirror", on);
  });

  fullscreen.hidden = !(document.fullscreenEnabled || video.webkitEnterFullscreen);
  fullscreen.addEventListener("click", toggleFullscreen);
  element("leave-fullscreen").addEventListener("click", () => document.exitFullscreen());
}

/** Show the picture with the answer in full screen; on an iPhone only the video. */
function toggleFullscreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (document.fullscreenEnabled) stage.requestFullscreen();
  else video.webkitEnterFullscreen();
}
