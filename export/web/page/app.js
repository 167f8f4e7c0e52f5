// The page: what its buttons, keys and messages do.

import { Camera, countCameras } from './camera.js';
import { Engine, chooseEngine } from './engine.js';
import { listenToFiles, listenToKeys } from './keys.js';
import { decode, resultName, save } from './photo.js';
import { credit, showStyles, title } from './picker.js';
import { Stage } from './stage.js';
import { Studio } from './studio.js';

const SIZES = { photo: [512, 768, 1024, 1600, 2048, 0], camera: [320, 480, 640, 960, 1280] };
const GPU_CAMERA_PX = 640;
const RATE_EVERY_MS = 500;

const at = (id) => document.getElementById(id);
const say = (text) => {
  if (at('status').textContent !== text) at('status').textContent = text; // or it is read out again
};
const camera = new Camera(at('video'));
const stage = new Stage(at('stage'), {
  photo: at('photo'), result: at('result'), split: at('split'),
});
let engine;
let studio;
let shownAt = 0;

const tell = {
  busy(style) {
    document.body.dataset.busy = '';
    at('save').disabled = true;
    say(`Painting: ${title(style)}`);
  },
  painted([width, height], ms) {
    ready();
    say(`${width} × ${height} px in ${(ms / 1000).toFixed(2)} s`);
  },
  filmed(size, perSecond, ms) {
    ready();
    if (performance.now() - shownAt < RATE_EVERY_MS) return;
    shownAt = performance.now();
    at('rate').textContent = `${perSecond.toFixed(1)} frames/s · ${ms.toFixed(0)} ms`;
    say(`Camera on, ${size.join(' × ')} px`);
  },
  stopped: showMode,
  failed(error) {
    delete document.body.dataset.busy;
    at('save').disabled = true;
    complain(error.message);
  },
};

function ready() {
  delete document.body.dataset.busy;
  at('save').disabled = false;
  showEngine();
}

function showEngine() {
  const note = engine.fellBack ? ', as WebGPU failed' : '';
  at('engine').textContent = engine.label + note;
  at('engine').title = engine.fellBack;
}

function complain(text) {
  say('');
  at('notice').querySelector('p').textContent = text;
  at('notice').hidden = false;
}

function hideNotice() {
  at('notice').hidden = true;
}

function dismiss() {
  hideNotice();
  camera.stop();
}

function showMode() {
  const { mode } = studio;
  const pressed = document.activeElement.closest('#empty [data-do]');
  document.body.dataset.mode = mode;
  if (pressed && mode !== 'empty') document.querySelector(`.bar [data-do=${pressed.dataset.do}]`).focus();
  at('camera').setAttribute('aria-pressed', String(mode === 'camera'));
  at('camera').textContent = mode === 'camera' ? 'Stop camera' : 'Camera';
  at('rate').hidden = mode !== 'camera';
  if (mode !== 'camera') at('flip').hidden = true;
  showSizes(mode === 'camera' ? 'camera' : 'photo');
  stage.layOut();
}

function showSizes(kind) {
  const options = SIZES[kind].map((px) => new Option(px ? `${px} px` : 'Original', px));
  at('size').replaceChildren(...options);
  at('size').value = studio.longSide[kind];
}

async function showPhoto(file) {
  hideNotice();
  try {
    const bitmap = await decode(file);
    camera.stop();
    await filming;
    const painted = studio.show(bitmap, file.name || 'photo.png');
    showMode();
    await painted;
  } catch (error) {
    complain(error.message);
  }
}

let filming = Promise.resolve();
let asking = false; // for the camera

async function startCamera() {
  if (asking) return;
  asking = true;
  hideNotice();
  say('Waiting for the camera');
  try {
    await camera.start(studio.longSide.camera);
  } catch (error) {
    complain(error.message);
    return;
  } finally {
    asking = false;
  }
  filming = studio.film();
  showMode();
  at('flip').hidden = (await countCameras()) < 2;
}

camera.onend = () => {
  camera.stop();
  complain('The camera was disconnected.');
};

const actions = {
  open: () => at('file').click(),
  camera: () => (camera.on ? camera.stop() : startCamera()),
  async flip() {
    camera.turn();
    camera.stop(); // many phones open one at a time
    await filming;
    await startCamera();
  },
  view() {
    stage.compares = !stage.compares;
    at('view').setAttribute('aria-pressed', String(stage.compares));
  },
  async save() {
    if (at('save').disabled) return;
    const name = resultName(studio.name, studio.style.name);
    await save(at('result'), name).then(() => say(`Saved as ${name}`), (error) => complain(error.message));
  },
};

function chooseStyle(style) {
  hideNotice();
  studio.style = style;
  at('caption').textContent = title(style);
  at('credit').textContent = credit(style);
  at('credit').hidden = !credit(style);
  studio.refresh();
}

function listen() {
  for (const button of document.querySelectorAll('[data-do]')) {
    button.addEventListener('click', () => actions[button.dataset.do]());
  }
  at('notice').querySelector('button').addEventListener('click', hideNotice);
  at('file').addEventListener('change', () => {
    if (at('file').files.length) showPhoto(at('file').files[0]);
    at('file').value = '';
  });
  at('strength').addEventListener('input', () => {
    studio.strength = at('strength').value / 100;
    at('strength-value').textContent = `${at('strength').value} %`;
    studio.refresh();
  });
  at('size').addEventListener('change', () => {
    hideNotice();
    const kind = studio.mode === 'camera' ? 'camera' : 'photo';
    studio.longSide[kind] = Number(at('size').value);
    if (kind === 'camera') camera.resize(studio.longSide.camera);
    studio.refresh();
  });
  listenToFiles(at('stage'), showPhoto);
  const { open, view, save: keep } = actions;
  const styleKeys = [...document.querySelectorAll('#cards input')].slice(0, 9)
    .map((radio, index) => [String(index + 1), () => radio.click()]);
  listenToKeys({
    o: open, c: actions.camera, v: view, s: keep, escape: dismiss,
    ...Object.fromEntries(styleKeys),
  });
}

async function start() {
  at('unstarted').hidden = true;
  const answer = await fetch('styles.json');
  if (!answer.ok) throw new Error(`styles.json: ${answer.status}`);
  const { styles } = await answer.json();
  const name = await chooseEngine(new URLSearchParams(location.search).get('engine'));
  engine = new Engine(name);
  studio = new Studio({ engine, stage, camera, tell });
  if (name === 'webgpu') studio.longSide.camera = GPU_CAMERA_PX;
  showStyles(at('cards'), styles, chooseStyle);
  chooseStyle(styles[0]);
  listen();
  showMode();
  await studio.prepare();
  showEngine();
  if (studio.mode === 'empty' && at('notice').hidden) say('Ready');
}

start().catch((error) => complain(`The page could not be started (${error.message}). Reload it.`));
