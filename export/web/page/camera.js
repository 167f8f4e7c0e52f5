// The webcam: asking for it, saying why not, and always the newest frame.

const REASONS = {
  NotAllowedError:
    'The camera was refused. Allow it in the settings of this page (the icon beside the address), then try again.',
  SecurityError: 'The camera is switched off for this page. Look into the settings of the browser.',
  NotFoundError: 'No camera was found. Connect one, or choose a photo.',
  OverconstrainedError: 'No camera was found that fits. Choose a photo.',
  NotReadableError: 'The camera is busy. Close the other programs that use it, then try again.',
  AbortError: 'The camera could not be started. Try again.',
};
const INSECURE =
  'The camera needs a safe address: https, or localhost. This page came over plain http.';

export class Camera {
  #video;
  #stream;
  #facing = 'user';
  #fresh = false;
  #wake = () => {};
  onend = () => {}; // the device went away

  constructor(video) {
    this.#video = video;
  }

  get on() {
    return this.#stream !== undefined;
  }

  /** A front camera is a mirror. */
  get mirrored() {
    return this.#facing === 'user';
  }

  /** Width and height of its frames in pixels. */
  get size() {
    return [this.#video.videoWidth, this.#video.videoHeight];
  }

  /** Turn it on. Throws an Error that says, for people, why it cannot be. */
  async start(longSide) {
    if (!navigator.mediaDevices?.getUserMedia) throw new Error(INSECURE);
    const video = { facingMode: this.#facing, ...wish(longSide) };
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    } catch (error) {
      throw new Error(REASONS[error.name] ?? `The camera cannot be used: ${error.message}`);
    }
    this.#stream = stream;
    this.#fresh = false;
    stream.getVideoTracks()[0].onended = () => this.onend();
    this.#video.srcObject = stream;
    await this.#video.play();
    this.#watch(stream);
  }

  stop() {
    for (const track of this.#stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.#stream = undefined;
    this.#video.srcObject = null;
    this.#wake();
  }

  /** Ask for frames of another size; the camera may give what it can. */
  async resize(longSide) {
    await this.#stream?.getVideoTracks()[0].applyConstraints(wish(longSide)).catch(() => {});
  }

  /** From now on ask for the camera of the other side. */
  turn() {
    this.#facing = this.mirrored ? 'environment' : 'user';
  }

  /** Wait until there is a frame that was not yet seen. False: the camera is off. */
  async next() {
    while (!this.#fresh && this.on) await new Promise((resolve) => { this.#wake = resolve; });
    this.#fresh = false;
    return this.on;
  }

  /** Draw the newest frame so that it fills a canvas. */
  draw(context, width, height) {
    context.setTransform(this.mirrored ? -1 : 1, 0, 0, 1, this.mirrored ? width : 0, 0);
    context.drawImage(this.#video, 0, 0, width, height);
    context.resetTransform();
  }

  #watch(stream) {
    const later = this.#video.requestVideoFrameCallback
      ? (seen) => this.#video.requestVideoFrameCallback(seen)
      : requestAnimationFrame;
    const seen = () => {
      if (this.#stream !== stream) return;
      this.#fresh = true;
      this.#wake();
      later(seen);
    };
    later(seen);
  }
}

/** How many cameras there are; known once one was allowed. */
export async function countCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  return devices.filter((device) => device.kind === 'videoinput').length;
}

function wish(longSide) {
  return { width: { ideal: longSide }, height: { ideal: Math.round(longSide * 0.75) } };
}
