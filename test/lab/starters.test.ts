import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';
import { axeFindings, launchBrowser, openLab, shownTurns, type Lab } from './lab-page.ts';

/** Who has never been here sees in three directives what this is about, with the rehearsal model too. */
describe('directives to begin with', () => {
  let server: RunningServer;
  let browser: Browser;
  let lab: Lab;

  beforeAll(async () => {
    [server, browser] = await Promise.all([startServerProcess(), launchBrowser()]);
  });
  afterEach(async () => {
    expect(lab.faults).toEqual([]);
    await lab.close();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  const starter = (name: RegExp) => lab.page.getByRole('button', { name });
  const directive = () => lab.page.getByLabel('Directive', { exact: true });

  it('tell a fact, and ask for it in another conversation', async () => {
    lab = await openLab(browser, server.url);
    const { page } = lab;
    await starter(/^Tell a fact/).click();
    expect(await directive().inputValue()).toBe('My sister Ana is allergic to peanuts.');
    await expect.poll(() => directive().evaluate((box) => box === document.activeElement)).toBe(true);
    expect(await page.locator('.turn').count()).toBe(0);
    await directive().press('Enter');
    await lab.ended();
    expect(await starter(/^Tell a fact/).count()).toBe(0);
    await page.getByRole('button', { name: 'New conversation' }).click();
    await starter(/^Then ask for it/).click();
    await directive().press('Enter');
    await lab.ended();
    expect((await shownTurns(page)).at(-1)?.text).toContain('My sister Ana is allergic to peanuts.');
    // What is known by now must not make the third one pointless.
    await page.getByRole('button', { name: 'New conversation' }).click();
    await starter(/sent back/).click();
    await directive().press('Enter');
    await lab.ended();
    expect(await page.locator('.turn.draft').count()).toBe(2);
  });

  it('show a draft that is sent back, its revision, and the approval', async () => {
    lab = await openLab(browser, server.url);
    await starter(/sent back/).click();
    await directive().press('Enter');
    await lab.ended();
    const turns = await shownTurns(lab.page);
    expect(turns.map(({ kind }) => kind)).toEqual([
      'directive',
      'guidance',
      'draft',
      'verdict',
      'draft',
      'verdict',
      'answer',
    ]);
    expect(await lab.page.getByRole('status').textContent()).toContain('Approved');
    const issues = lab.page.getByRole('list', { name: 'Issues' }).first();
    expect(await issues.textContent()).toContain(
      'the end: “… find only 1 of the 3 points in what I was given.”',
    );
    // Quotation marks of the page's own would double them.
    expect(await issues.locator('q').count()).toBe(0);
  });

  it('do not overwrite what the person has typed', async () => {
    lab = await openLab(browser, server.url);
    await starter(/^Tell a fact/).click();
    await starter(/sent back/).click();
    expect(await directive().inputValue()).toContain('in three points.');
    await directive().fill('Half a thou');
    expect(await starter(/^Tell a fact/).count()).toBe(0);
    await directive().fill('');
    await starter(/^Tell a fact/).waitFor();
  });

  it('are used with the keyboard, on a telephone too', async () => {
    const viewport = { width: 390, height: 844 };
    lab = await openLab(browser, server.url, { viewport, bypassCSP: true });
    const { page } = lab;
    await starter(/^Tell a fact/).focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await directive().inputValue()).toBe('What should I not cook for Ana?');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await page.getByRole('heading', { name: 'Give a directive' }).waitFor();
    const whole = await page.locator('.thread').evaluate((box) => box.scrollHeight <= box.clientHeight);
    expect(whole).toBe(true);
    expect(await axeFindings(page)).toEqual([]);
  });
});
