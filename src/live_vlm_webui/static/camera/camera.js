// This browser's camera: opening, switching and closing it.

const WANTED = { width: { ideal: 1280 }, height: { ideal: 720 } };

const REASONS = {
  NotAllowedError:
    "The browser refused the camera. Allow it for this address in the browser's site settings (the icon beside the " +
    "address), allow the browser itself in the system's privacy settings, then start again.",
  NotFoundError: "No camera was found. Connect one, then start again.",
  NotReadableError:
    "The camera is there but could not be read. Another program may be using it: close that program, then start again.",
  OverconstrainedError: "The chosen camera is not there any more. Choose another one, then start again.",
  SecurityError: "The browser's settings or policies forbid cameras on this page.",
};

/** Why the browser cannot offer a camera at all, or null. */
export function obstacle() {
  if (!window.isSecureContext) {
    return (
      "Browsers give the camera only to pages from this machine or over HTTPS, and this page is neither. " +
      `Open it as http://localhost:${location.port || 80}/, through an SSH port forwarding from another machine, ` +
      "or through a reverse proxy with HTTPS."
    );
  }
  if (!navigator.mediaDevices?.getUserMedia) {
    return "This browser offers no camera to web pages. Use a current Firefox, Chrome, Edge or Safari.";
  }
  return null;
}

/** What an error of getUserMedia means, and what to do. */
export function explain(error) {
  return REASONS[error.name] ?? `The camera could not be started: ${error.message || error.name}.`;
}

/** A camera on a video element; `onEnd` is called when it goes away by itself. */
export class Camera {
  #video;
  #onEnd;
  #stream = null;
  #opening = 0;

  constructor(video, onEnd) {
    this.#video = video;
    this.#onEnd = onEnd;
  }

  /** The video track of the open camera; undefined if none is open. */
  get track() {
    return this.#stream?.getVideoTracks()[0];
  }

  /** The identifier of the open camera, or "". */
  get deviceId() {
    return this.track?.getSettings().deviceId ?? "";
  }

  /** The name of the open camera, or "". */
  get label() {
    return this.track?.label ?? "";
  }

  /**
   * Open a camera in place of the one that is open.
   *
   * @param {string} deviceId of the camera; "" leaves the choice to the browser (a phone: the one on its back).
   * @returns {Promise<boolean>} false if stop() or another open() came in between: then nothing was opened.
   */
  async open(deviceId) {
    this.stop();
    const opening = this.#opening;
    const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: { ideal: "environment" } };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...WANTED, ...which } });
      if (opening !== this.#opening) {
        close(stream);
        return false;
      }
      this.#show(stream);
      await this.#video.play();
      return opening === this.#opening;
    } catch (error) {
      if (opening !== this.#opening) return false;
      this.stop();
      throw error;
    }
  }

  /** Close the camera: its light goes out. */
  stop() {
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
  }
}

/** The cameras that the browser tells of, as {id, label}; without permission it tells no names. */
export async function listCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter((device) => device.kind === "videoinput" && device.deviceId)
    .map((device, index) => ({ id: device.deviceId, label: device.label || `Camera ${index + 1}` }));
}

function close(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
