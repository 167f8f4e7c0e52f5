// Runs the networks, away from the page. One request after the other.

import { mix, toRgb } from './pixels.js';

const RUNTIME = new URL('./runtime/', import.meta.url);
const MODULES = { webgpu: 'ort.webgpu.min.mjs', wasm: 'ort.wasm.min.mjs' };
const SILENT = 4;
// Threads that wait by spinning take the time of the page: half the frame rate on a busy machine.
const NO_SPINNING = { session: { intra_op: { allow_spinning: '0' } } };

let engine; // 'webgpu' or 'wasm'
let threads;
let fellBack = '';
let ort;
let model; // ArrayBuffer
let session;
let rgb; // what the network is given, kept for the next frame
let last; // of a photo: { photo, width, height, stylized }

async function start(request) {
  ({ engine, threads } = request);
  await loadRuntime();
  return {};
}

async function loadRuntime() {
  ort = await import(new URL(MODULES[engine], RUNTIME).href);
  ort.env.wasm.wasmPaths = RUNTIME.href;
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = 'fatal';
}

async function open({ url }) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${answer.statusText}`);
  model = await answer.arrayBuffer();
  last = undefined;
  await onEngine(createSession);
  return { engine, fellBack };
}

async function createSession() {
  await session?.release();
  session = undefined;
  session = await ort.InferenceSession.create(model, {
    executionProviders: [engine],
    logSeverityLevel: SILENT,
    extra: NO_SPINNING,
  });
}

/** WebGPU lacks operators and drivers; whatever fails there is done once more in WebAssembly. */
async function onEngine(work) {
  try {
    return await work();
  } catch (error) {
    if (engine !== 'webgpu') throw error;
    fellBack = firstLine(error);
    engine = 'wasm';
    session = undefined;
    await loadRuntime();
    if (work !== createSession) await createSession();
    return work();
  }
}

function takesStrength() {
  return session.inputNames.includes('strength');
}

async function run(width, height, strength) {
  const feeds = { image: new ort.Tensor('uint8', rgb, [1, height, width, 3]) };
  if (takesStrength()) feeds.strength = new ort.Tensor('float32', [strength], [1]);
  const { stylized } = await session.run(feeds, ['stylized']);
  return stylized.data;
}

/** A frame of the camera; its own buffer carries the result back. */
async function frame({ pixels, width, height, strength }) {
  const rgba = new Uint8ClampedArray(pixels);
  rgb = toRgb(rgba, rgb);
  const stylized = await onEngine(() => run(width, height, strength));
  mix(rgba, stylized, takesStrength() ? 1 : strength, rgba);
  return { pixels, engine, fellBack, transfer: [pixels] };
}

/** A photo; it stays here, so that another strength costs little. */
async function photo({ pixels, width, height, strength }) {
  last = undefined; // the one before may be large
  const rgba = new Uint8ClampedArray(pixels);
  rgb = toRgb(rgba, rgb);
  const stylized = await onEngine(() => run(width, height, strength));
  last = { photo: rgba, width, height, stylized };
  return mixed(strength);
}

async function strength({ strength: value }) {
  if (takesStrength()) {
    rgb = toRgb(last.photo, rgb);
    last.stylized = await onEngine(() => run(last.width, last.height, value));
  }
  return mixed(value);
}

function mixed(value) {
  const target = new Uint8ClampedArray(last.photo.length);
  mix(last.photo, last.stylized, takesStrength() ? 1 : value, target);
  return { pixels: target.buffer, engine, fellBack, transfer: [target.buffer] };
}

function firstLine(error) {
  return String(error?.message ?? error).split('\n')[0].slice(0, 200);
}

const KINDS = { start, open, frame, photo, strength };
let queue = Promise.resolve();

async function answer({ id, kind, ...request }) {
  try {
    const { transfer = [], ...reply } = await KINDS[kind](request);
    postMessage({ id, ...reply }, transfer);
  } catch (error) {
    postMessage({ id, error: firstLine(error) });
  }
}

onmessage = ({ data }) => {
  queue = queue.then(() => answer(data));
};
