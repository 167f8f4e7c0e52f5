// What tests do on the page. Each gives an object for Python to judge.

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

const text = (page, selector) => page.textContent(selector);
const started = (page) => page.waitForFunction(() => document.getElementById('status').textContent === 'Ready');

/** Until the frame rate is known. */
const counting = (page) => page.waitForFunction(() => parseFloat(document.getElementById('rate').textContent) > 0);

/** Until the picture stands, or something is wrong. */
async function settled(page) {
  await page.waitForFunction(() => {
    const busy = 'busy' in document.body.dataset;
    const status = document.getElementById('status').textContent;
    return !busy && (/px in/.test(status) || !document.getElementById('notice').hidden);
  });
}

async function drop(page, path) {
  const base64 = readFileSync(path).toString('base64');
  const transfer = await page.evaluateHandle(async ([content, name]) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, { type: 'image/png' }));
    return data;
  }, [base64, basename(path)]);
  await page.evaluate(() => { document.getElementById('status').textContent = ''; });
  await page.dispatchEvent('#stage', 'drop', { dataTransfer: transfer });
  await settled(page);
}

async function saveTo(page, path, how) {
  const [download] = await Promise.all([page.waitForEvent('download'), how()]);
  await download.saveAs(path);
  return download.suggestedFilename();
}

async function setRange(page, id, value) {
  await page.evaluate(([target, wanted]) => {
    const input = document.getElementById(target);
    document.getElementById('status').textContent = '';
    input.value = wanted;
    input.dispatchEvent(new Event('input'));
  }, [id, value]);
  await settled(page);
}

const messages = async (page) => ({
  notice: await text(page, '#notice p'),
  noticeShown: await page.isVisible('#notice'),
  status: await text(page, '#status'),
  engine: await text(page, '#engine'),
});

/** Drop a photo, save the result at several strengths. */
export async function photo(page, { path, out, strengths = [] }) {
  await started(page);
  await drop(page, path);
  const answer = await messages(page);
  if (answer.noticeShown) return answer;
  const name = await saveTo(page, `${out}/full.png`, () => page.click('#save'));
  for (const strength of strengths) {
    await setRange(page, 'strength', strength);
    await saveTo(page, `${out}/${strength}.png`, () => page.click('#save'));
  }
  return { ...answer, name };
}

/** Ask for a large result, and for a small one while it is painted. */
export async function impatience(page, { path }) {
  await started(page);
  await drop(page, path);
  await page.evaluate(() => { document.getElementById('status').textContent = ''; });
  await page.selectOption('#size', '0');
  await page.waitForTimeout(3000);
  const busy = await page.evaluate(() => 'busy' in document.body.dataset);
  await page.selectOption('#size', '512');
  await settled(page);
  return { ...(await messages(page)), busy };
}

/** Turn the camera on, look twice, turn it off with Escape. */
export async function camera(page) {
  await started(page);
  await page.click('#empty [data-do=camera]');
  const look = () => page.evaluate(() => {
    const canvas = document.getElementById('result');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return [canvas.width, canvas.height, data.reduce((sum, value, at) => (sum * 31 + value * (at % 7)) % 1e9, 0)];
  });
  await counting(page);
  const frames = [await look()];
  const rates = [await text(page, '#rate')];
  await page.waitForFunction((before) => document.getElementById('rate').textContent !== before, rates[0]);
  frames.push(await look());
  rates.push(await text(page, '#rate'));
  const answer = await messages(page);
  await page.keyboard.press('Escape');
  await page.waitForSelector('body[data-mode=photo]');
  await settled(page);
  const live = await page.evaluate(() => document.getElementById('video').srcObject !== null);
  return { ...answer, frames, rates, live };
}

/** Ask for the camera and read what the page says. */
export async function cameraFails(page) {
  await started(page);
  await page.keyboard.press('c');
  await page.waitForSelector('#notice:not([hidden])');
  return { ...(await messages(page)), mode: await page.getAttribute('body', 'data-mode') };
}

/** Load a photo, choose a style, look at both views and save, with keys alone. */
export async function keyboard(page, { path, out }) {
  await started(page);
  const reached = [];
  const focus = () => page.evaluate(() => {
    const { id, dataset, type, value } = document.activeElement;
    return id || dataset.do || (type === 'radio' ? `radio ${value}` : document.activeElement.tagName);
  });
  await page.bringToFront();
  // Asked for ahead of the keys: Playwright catches no chooser that opens before it has told the browser.
  const chooser = page.waitForEvent('filechooser');
  await page.keyboard.press('Tab');
  await page.waitForFunction(() => document.activeElement.matches('button'));
  await page.keyboard.press('Enter');
  await (await chooser).setFiles(path);
  await settled(page);
  for (let step = 0; step < 9; step += 1) {
    await page.keyboard.press('Tab');
    reached.push(await focus());
  }
  await page.focus('input[name=style]:checked');
  await page.evaluate(() => { document.getElementById('status').textContent = ''; });
  await page.keyboard.press('ArrowRight');
  await settled(page);
  await page.keyboard.press('v');
  const view = await page.getAttribute('#stage', 'data-view');
  await page.focus('#split');
  await page.keyboard.press('ArrowLeft');
  const split = await page.inputValue('#split');
  const name = await saveTo(page, `${out}/keys.png`, () => page.keyboard.press('s'));
  return { reached, view, split, name, caption: await text(page, '#caption') };
}

/** Sizes on a phone: nothing sticks out, everything can be touched. */
export async function phone(page, { path }) {
  await page.setViewportSize({ width: 360, height: 740 });
  await started(page);
  const empty = await page.evaluate(() => document.documentElement.scrollWidth);
  await drop(page, path);
  return page.evaluate((before) => ({
    widths: [before, document.documentElement.scrollWidth],
    lowest: Math.min(...[...document.querySelectorAll('.bar button, select')]
      .filter((button) => button.offsetParent).map((button) => button.offsetHeight)),
    pictures: [...document.querySelectorAll('figure')].map((figure) => {
      const { left, right } = figure.getBoundingClientRect();
      return [left, right];
    }),
  }), empty);
}

/** Wait for the message of a page that cannot start. */
export async function broken(page) {
  await page.waitForSelector('#notice:not([hidden])');
  return messages(page);
}

/** Frames per second of the camera, `warm` seconds after the first ones, over `seconds`. */
export async function speed(page, { warm, seconds }) {
  await started(page);
  await page.click('#empty [data-do=camera]');
  await counting(page);
  await page.waitForTimeout(1000 * warm);
  const rates = [];
  for (let second = 0; second < seconds; second += 1) {
    await page.waitForTimeout(1000);
    rates.push(await text(page, '#rate'));
  }
  return { ...(await messages(page)), rates };
}
