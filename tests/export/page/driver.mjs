// Opens the page in Chromium and does one scenario. JSON on stdin, JSON on stdout.

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import * as scenarios from './scenarios.mjs';

const WAIT_MS = 120_000; // a busy machine runs the page at a tenth of its speed

const request = JSON.parse(readFileSync(0, 'utf8'));
const { chromium } = await import(pathToFileURL(request.playwright));
const browser = await chromium.launch({
  executablePath: request.browser,
  args: ['--no-sandbox', '--disable-dev-shm-usage', ...request.flags],
});
try {
  const page = await browser.newPage({ acceptDownloads: true });
  page.setDefaultTimeout(WAIT_MS);
  const problems = [];
  const hosts = new Set();
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.context().on('request', (sent) => {
    const { protocol, host } = new URL(sent.url());
    if (!['data:', 'blob:'].includes(protocol)) hosts.add(host);
  });
  await page.goto(request.url);
  const result = await scenarios[request.scenario](page, request.inputs);
  console.log(JSON.stringify({ ...result, problems, hosts: [...hosts] }));
} finally {
  await browser.close();
}
