import { createHash } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, startUpstream, type Upstream } from '../support/upstream.ts';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';
import { launchBrowser, openLab } from './lab-page.ts';

const KEY = 'ccc_key_of-a-person';

describe('the lab on a server that asks for a key', () => {
  let browser: Browser;
  let server: RunningServer;
  beforeAll(async () => {
    browser = await launchBrowser();
    const hash = createHash('sha256').update(KEY).digest('hex');
    server = await startServerProcess({ env: { CCC_API_KEYS: `person:${hash}` } });
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  it('asks for it, says when it is wrong, works with the right one, and keeps it over a reload', async () => {
    const lab = await openLab(browser, server.url);
    const key = lab.page.getByLabel('This server asks for a key.');
    // What cannot stand in a header is not taken: the page would take it for a server that does not answer.
    await key.fill('ccc_key…');
    await key.press('Enter');
    expect(await key.evaluate((box: HTMLInputElement) => box.validity.patternMismatch)).toBe(true);
    await key.fill(' ccc_key_wrong ');
    await key.press('Enter');
    await lab.page.getByText('The key that you gave is wrong').waitFor();
    expect(await key.inputValue()).toBe('');
    await key.fill(KEY);
    await key.press('Enter');
    await key.waitFor({ state: 'detached' });
    await lab.say('Give me three points about bees.');
    await lab.ended();
    await lab.page.reload();
    await lab.page.locator('.turn[data-kind="answer"]').waitFor();
    expect(await key.count()).toBe(0);
    expect(lab.faults).toEqual([]);
    await lab.close();
  });

  it('keeps it to the tab: another one is asked again', async () => {
    const lab = await openLab(browser, server.url);
    await lab.page.getByLabel('This server asks for a key.').waitFor();
    expect(await lab.page.getByText('The key that you gave is wrong').count()).toBe(0);
    await lab.close();
  });
});

describe('the lab when the upstream refuses OPENAI_API_KEY', () => {
  const REFUSES = 'The upstream refuses the key in OPENAI_API_KEY. Put the right one into .env';
  const refusal = json(
    { error: { message: 'Incorrect API key provided.', type: 'auth', code: 'invalid_api_key', param: null } },
    401,
    { 'www-authenticate': 'Bearer realm="ccc"' },
  );
  let browser: Browser;
  let upstream: Upstream;
  let server: RunningServer;
  beforeAll(async () => {
    [browser, upstream] = await Promise.all([launchBrowser(), startUpstream()]);
    upstream.on('/models', refusal);
    upstream.on('/chat/completions', refusal);
    const env = { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'sk-wrong' };
    server = await startServerProcess({ env });
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
    await upstream.close();
  });

  it('says where the right one belongs, also at the end of a cycle, and asks for none', async () => {
    const lab = await openLab(browser, server.url);
    const banner = lab.page.getByRole('region', { name: 'Provider' });
    await banner.getByText(REFUSES).waitFor();
    await lab.say('Anything.');
    await lab.ended();
    const outcome = lab.page.getByRole('status');
    await outcome.getByText(REFUSES).waitFor();
    expect(await outcome.textContent()).toContain('Incorrect API key provided.');
    expect(await lab.page.getByText('asks for a key').count()).toBe(0);
    // The right key is in place, and the server has been started again.
    upstream.on('/models', json({ object: 'list', data: [] }));
    await lab.page.reload();
    await lab.ended();
    await banner.waitFor({ state: 'detached' });
    // The cycle that is still shown failed by it, and says no more that it has to be put right.
    await outcome.getByText('Incorrect API key provided.').waitFor();
    expect(await outcome.getByText(REFUSES).count()).toBe(0);
    expect(lab.faults).toEqual([]);
    await lab.close();
  });
});
