// Frames per second over the last two seconds.

const SPAN_MS = 2000;

export class Rate {
  #times = [];

  tick(now = performance.now()) {
    this.#times.push(now);
    while (now - this.#times[0] > SPAN_MS) this.#times.shift();
  }

  /** 0 until there are two frames. */
  get perSecond() {
    const span = this.#times.at(-1) - this.#times[0];
    return span > 0 ? ((this.#times.length - 1) * 1000) / span : 0;
  }
}
