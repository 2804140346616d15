// The fallback if WebRTC cannot connect: frames as JPEGs over the WebSocket.

const LONG_SIDE = 1280;
const QUALITY = 0.8;
const EVERY_MS = 100;
const MOST_WAITING = 512 * 1024;

/** Sends the video element's picture at most ten times a second, less often on slow networks. */
export class JpegSender {
  #video;
  #connection;
  #timer = 0;
  #canvas = document.createElement("canvas");
  #busy = false;

  constructor(video, connection) {
    this.#video = video;
    this.#connection = connection;
  }

  start() {
    this.stop();
    this.#timer = setInterval(() => this.#send(), EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
  }

  async #send() {
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (this.#busy || !width || !this.#connection.isOpen || this.#connection.waiting > MOST_WAITING) return;
    this.#busy = true;
    try {
      const scale = Math.min(1, LONG_SIDE / Math.max(width, height));
      this.#canvas.width = Math.round(width * scale);
      this.#canvas.height = Math.round(height * scale);
      this.#canvas.getContext("2d").drawImage(this.#video, 0, 0, this.#canvas.width, this.#canvas.height);
      const jpeg = await new Promise((resolve) => this.#canvas.toBlob(resolve, "image/jpeg", QUALITY));
      if (jpeg && this.#timer) this.#connection.push(jpeg);
    } finally {
      this.#busy = false;
    }
  }
}
