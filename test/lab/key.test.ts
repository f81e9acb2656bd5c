import { createHash } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
    await key.fill('ccc_key_wrong');
    await key.press('Enter');
    await expect.poll(() => key.inputValue()).toBe('');
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
    await lab.close();
  });
});
