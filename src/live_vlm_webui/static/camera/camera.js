// This browser's camera: open, switch and close it.

import { fault } from "../common/api.js";
import { say } from "../common/words.js";

const WANTED = { width: { ideal: 1280 }, height: { ideal: 720 } };

const REASONS = {
  NotAllowedError: fault("camera.not-allowed"),
  NotFoundError: fault("camera.not-found"),
  NotReadableError: fault("camera.not-readable"), // in Chromium; Firefox has AbortError for it
  AbortError: fault("camera.not-readable"),
  OverconstrainedError: fault("camera.gone"),
  SecurityError: fault("camera.forbidden"),
};

/** Return what keeps the browser from using any camera, and what to do; null if nothing does. */
export function obstacle() {
  if (!window.isSecureContext) return fault("camera.insecure");
  return navigator.mediaDevices?.getUserMedia ? null : fault("camera.unsupported");
}

/** Return what an error of getUserMedia means, and what to do. */
export function explain(error) {
  return REASONS[error.name] ?? fault("camera.failed", { why: error.message || error.name });
}

/** A camera on a video element; `onEnd` is called when it is disconnected. */
export class Camera {
  #video;
  #onEnd;
  #stream = null;
  #opening = 0;
  #playing = Promise.resolve();

  /** Whether the camera is open, or is being opened. */
  isWanted = false;

  constructor(video, onEnd) {
    this.#video = video;
    this.#onEnd = onEnd;
  }

  /** The video track of the open camera, or undefined. */
  get track() {
    return this.#stream?.getVideoTracks()[0];
  }

  /** The id of the open camera, or "". */
  get deviceId() {
    return this.track?.getSettings().deviceId ?? "";
  }

  /** The name of the open camera, or "". */
  get label() {
    return this.track?.label ?? "";
  }

  /**
   * Open a camera instead of the current one.
   *
   * @param {string} deviceId the camera's id; "" lets the browser choose (on a phone, the rear camera).
   * @returns {Promise<boolean>} false if stop() or open() was called in the meantime and nothing was opened.
   */
  async open(deviceId) {
    this.stop();
    this.isWanted = true;
    const opening = this.#opening;
    const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: { ideal: "environment" } };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...WANTED, ...which } });
      if (opening !== this.#opening) {
        close(stream);
        return false;
      }
      this.#show(stream);
      return true;
    } catch (error) {
      if (opening !== this.#opening) return false;
      this.stop();
      throw error;
    }
  }

  /**
   * Wait until the open camera's picture is shown.
   *
   * @returns {Promise<boolean>} false if the camera was closed in the meantime.
   */
  async shown() {
    const opening = this.#opening;
    try {
      await this.#playing;
      return opening === this.#opening;
    } catch (error) {
      if (opening !== this.#opening) return false;
      this.stop();
      throw error;
    }
  }

  /** Close the camera. */
  stop() {
    this.isWanted = false;
    this.#opening += 1;
    close(this.#stream);
    this.#stream = null;
    this.#video.srcObject = null;
  }

  #show(stream) {
    this.#stream = stream;
    this.track.addEventListener("ended", () => {
      if (this.#stream !== stream) return;
      this.stop();
      this.#onEnd();
    });
    this.#video.srcObject = stream;
    this.#playing = this.#video.play();
    this.#playing.catch(() => {}); // told by shown()
  }
}

/** Return the cameras as {id, label}; without permission the browser reports no labels. */
export async function listCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter((device) => device.kind === "videoinput" && device.deviceId)
    .map((device, index) => ({ id: device.deviceId, label: device.label || say("camera.number", { number: index + 1 }) }));
}

function close(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
