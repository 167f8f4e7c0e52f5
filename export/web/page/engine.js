// The worker as the page sees it: chooses WebGPU or WebAssembly, and starts again after a failure.

const MOST_THREADS = 8;

/** 'webgpu' where a graphics processor can be had, else 'wasm'. `wanted` decides if it is one. */
export async function chooseEngine(wanted) {
  if (wanted === 'webgpu' || wanted === 'wasm') return wanted;
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  // An adapter in software is a hundred times slower than WebAssembly.
  const inSoftware = adapter?.info?.isFallbackAdapter || adapter?.info?.architecture === 'swiftshader';
  return adapter && !inSoftware ? 'webgpu' : 'wasm';
}

/** Threads share memory, which browsers allow only to pages with the COOP and COEP headers. */
export function threadCount() {
  if (!globalThis.crossOriginIsolated) return 1;
  const cores = navigator.hardwareConcurrency || 1;
  return cores <= 4 ? cores : Math.min(MOST_THREADS, Math.ceil(cores / 2));
}

export class Engine {
  #name;
  #threads = threadCount();
  #worker;
  #waiting = new Map();
  #number = 0;
  #open = ''; // address of the style that the worker has open
  #opening = Promise.resolve(); // one after the other
  fellBack = ''; // why WebGPU was given up

  constructor(name) {
    this.#name = name;
  }

  /** For people. */
  get label() {
    if (this.#name === 'webgpu') return 'WebGPU';
    return `WebAssembly, ${this.#threads} thread${this.#threads > 1 ? 's' : ''}`;
  }

  /** Make sure that a style is open. */
  open(url) {
    this.#opening = this.#opening.catch(() => {}).then(() => this.#openNow(url));
    return this.#opening;
  }

  async #openNow(url) {
    if (this.#open === url) return;
    if (!this.#worker) {
      this.#startWorker();
      await this.#ask('start', { engine: this.#name, threads: this.#threads });
    }
    this.#open = '';
    await this.#ask('open', { url });
    this.#open = url;
  }

  /** Stylize a frame of the camera. Takes the pixels away. */
  frame(image, strength) {
    return this.#stylize('frame', image, strength);
  }

  /** Stylize a photo. Takes the pixels away. */
  photo(image, strength) {
    return this.#stylize('photo', image, strength);
  }

  /** The last photo at another strength. */
  async strength(width, height, strength) {
    const { pixels } = await this.#ask('strength', { strength });
    return new ImageData(new Uint8ClampedArray(pixels), width, height);
  }

  /** Give up what the worker is at. */
  abandon() {
    this.#fail('abandoned');
  }

  async #stylize(kind, { data, width, height }, strength) {
    const request = { pixels: data.buffer, width, height, strength };
    const { pixels } = await this.#ask(kind, request, [data.buffer]);
    return new ImageData(new Uint8ClampedArray(pixels), width, height);
  }

  #startWorker() {
    this.#worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = (event) => this.#fail(event.message || 'the worker cannot be loaded');
  }

  #ask(kind, request, transfer = []) {
    const id = (this.#number += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, kind, ...request }, transfer);
    });
  }

  #receive({ id, error, ...reply }) {
    const waiting = this.#waiting.get(id);
    if (error !== undefined) {
      this.#fail(error);
      return;
    }
    this.#waiting.delete(id);
    this.#name = reply.engine ?? this.#name;
    this.fellBack = reply.fellBack ?? this.fellBack;
    waiting.resolve(reply);
  }

  /** The memory of a runtime that failed is not to be trusted, and is never given back. */
  #fail(message) {
    this.#worker.terminate();
    this.#worker = undefined;
    this.#open = '';
    for (const { reject } of this.#waiting.values()) reject(new Error(message));
    this.#waiting.clear();
  }
}
