import { readFile } from 'node:fs/promises';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';
import { role, startUpstream, streamed, type Upstream } from '../support/upstream.ts';
import { axeFindings, launchBrowser, openLab, type Lab } from './lab-page.ts';

const usage = (prompt_tokens: number, completion_tokens: number) => ({
  usage: { prompt_tokens, completion_tokens },
});
const verdict = (more: object, script = {}) =>
  streamed(
    [JSON.stringify({ decision: 'approve', issues: [], resolved: [], criteria: [], lesson: null, ...more })],
    script,
  );
const FAULT = { id: 'i1', severity: 'major', where: 'first', fix: 'Say final.' };

describe('the trace in the lab', () => {
  let browser: Browser;
  let upstream: Upstream;
  let server: RunningServer;
  let lab: Lab;
  let page: Page;

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  beforeEach(async () => {
    upstream = await startUpstream();
    upstream.on('/models', (res) => res.end(JSON.stringify({ object: 'list', data: [] })));
    upstream
      .expect(role('guidance'), streamed(['Be brief.'], usage(100, 10)))
      .expect(role('draft'), streamed(['The first draft.'], usage(200, 20)))
      .expect(role('verdict'), verdict({ decision: 'revise', issues: [FAULT] }, usage(300, 30)))
      .expect(role('draft'), streamed(['The final draft.'], usage(400, 40)))
      .expect(role('verdict'), verdict({ resolved: ['i1'] }, usage(500, 50)));
    upstream.on(role('guidance'), streamed(['Be brief.']));
    upstream.on(role('draft'), streamed(['Another answer.']));
    upstream.on(role('verdict'), verdict({}));
    server = await startServerProcess({
      env: { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'sk-test', CCC_SHUTDOWN_MS: '300' },
    });
  });
  afterEach(async () => {
    expect(lab.faults).toEqual([]);
    await lab.close();
    await server.stop();
    await upstream.close();
  });
  afterAll(async () => {
    await browser.close();
  });

  const openTrace = async (options: BrowserContextOptions = {}) => {
    lab = await openLab(browser, server.url, options);
    page = lab.page;
    await lab.say('Write the draft.');
    await page.locator('.turn.answer', { hasText: 'The final draft.' }).waitFor();
    await lab.ended();
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    await page.getByRole('tree').waitFor();
  };
  const line = (name: RegExp) => page.getByRole('treeitem', { name });
  const known = () => page.getByRole('region', { name: 'What was known' });

  it('sums tokens upwards, and folds and unfolds', async () => {
    await openTrace();
    await line(/^The cycle.*\b1,650 t/).waitFor();
    await line(/^Round 1.*\b660 t/).waitFor();
    await line(/^Round 2.*\b990 t/).waitFor();
    expect(await page.getByRole('treeitem').count()).toBe(8);
    await line(/^Round 1/).focus();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => page.getByRole('treeitem').count()).toBe(5);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect.poll(() => line(/^Draft.*\b440 t/).getAttribute('aria-selected')).toBe('true');
    await page.getByText('Raw', { exact: true }).click();
    await expect.poll(() => page.locator('.raw').textContent()).toContain('"round": 2');
  });

  it('shares one selection with the panel beside the conversation', async () => {
    await openTrace();
    await line(/^Review.*\b330 t/).click();
    await page.getByRole('button', { name: 'Conversation', exact: true }).click();
    await page.getByRole('tab', { name: 'Trace' }).click();
    const step = page.locator('.step', { hasText: '330 t' });
    await expect.poll(() => step.getAttribute('aria-expanded')).toBe('true');
    expect(await page.locator('.timeline .chosen').count()).toBe(1);
    await page.getByRole('button', { name: 'Replay and compare' }).click();
    expect(await line(/^Review.*\b330 t/).getAttribute('aria-selected')).toBe('true');
  });

  it('goes back to what was known at an earlier moment', async () => {
    await openTrace();
    expect(await known().textContent()).toMatch(
      /It ends: Approved\..*The final draft\..*Verdict on draft 2/s,
    );
    await page.getByRole('button', { name: /Draft 1 is written/ }).click();
    // What came in the same millisecond was known too; a verdict takes a call, which takes longer.
    await expect.poll(() => known().textContent()).toContain('The first draft.');
    expect(await known().textContent()).not.toContain('The final draft.');
    expect(await known().locator('.newest').textContent()).not.toContain('Verdict');
    expect(await page.locator('.log .later').count()).toBeGreaterThan(3);
    const before = await page.getByLabel('Playhead').inputValue();
    await page.getByRole('button', { name: 'To the event before' }).click();
    expect(Number(await page.getByLabel('Playhead').inputValue())).toBeLessThan(Number(before));
    await page.getByRole('button', { name: 'Show the whole' }).click();
    await expect.poll(() => known().textContent()).toContain('The final draft.');
  });

  it('plays the cycle from its beginning to its end, and can be held', async () => {
    await openTrace();
    await page.getByRole('button', { name: 'Play', exact: true }).click();
    const pause = page.getByRole('button', { name: 'Pause' });
    await pause.waitFor();
    await expect.poll(() => known().locator('.newest').textContent()).not.toContain('The final draft.');
    await pause.click();
    const held = await page.getByLabel('Playhead').inputValue();
    await page.getByRole('button', { name: 'Play', exact: true }).click();
    await pause.waitFor({ state: 'detached', timeout: 30_000 });
    expect(Number(await page.getByLabel('Playhead').inputValue())).toBeGreaterThan(Number(held));
    expect(await known().textContent()).toContain('It ends: Approved.');
  });

  it('puts two cycles side by side, with one selection and one playhead', async () => {
    await openTrace();
    await page.getByRole('button', { name: 'Conversation', exact: true }).click();
    // In a conversation of its own: the same thing asked anew is what one compares.
    await page.getByRole('button', { name: 'New conversation' }).click();
    await lab.say('And another one.');
    await page.locator('.turn.answer', { hasText: 'Another answer.' }).waitFor();
    await lab.ended();
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    await page
      .getByRole('option', { name: /Write the draft\./ })
      .first()
      .waitFor({ state: 'attached' });
    const earlier = await page
      .getByLabel('Beside it')
      .getByRole('option', { name: /Write the draft\./ })
      .getAttribute('value');
    await page.getByLabel('Beside it').selectOption(earlier);
    const [left, right] = ['The left cycle', 'The right cycle'].map((name) =>
      page.getByRole('region', { name, exact: true }),
    );
    await right!.waitFor();
    await left!.getByRole('treeitem', { name: /^Draft/ }).click();
    expect(
      await right!.getByRole('treeitem', { name: /^Draft.*\b220 t/ }).getAttribute('aria-selected'),
    ).toBe('true');
    const figures = page.getByRole('region', { name: 'The two cycles in figures' });
    expect(await figures.getByRole('row', { name: /^Drafts/ }).textContent()).toBe('Drafts12');
    expect(await figures.getByRole('row', { name: /^Tokens/ }).textContent()).toMatch(/1,650$/);
    await figures.getByText('How the right answer differs').click();
    expect(await figures.locator('ins').allTextContents()).toContain('The final draft.');
    await right!.getByRole('button', { name: /Draft 1 is written/ }).click();
    await expect.poll(() => right!.locator('.newest').textContent()).not.toContain('The final draft.');
    const coming = page.waitForEvent('download');
    await right!.getByRole('button', { name: 'Download this trace' }).click();
    const file = JSON.parse(await readFile(await (await coming).path(), 'utf8')) as {
      directive: string;
      events: { type?: string }[];
    };
    expect(file.directive).toBe('Write the draft.');
    expect(file.events.length).toBeGreaterThan(9);
    await page.getByLabel('Beside it').selectOption('');
    await right!.waitFor({ state: 'detached' });
  });

  it('fits 360 pixels, and gives axe-core nothing to complain about', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      if (colorScheme === 'dark') await lab.close();
      await openTrace({ colorScheme, bypassCSP: true });
      await page
        .getByRole('treeitem', { name: /^Draft/ })
        .first()
        .click();
      expect(await axeFindings(page)).toEqual([]);
      await page.setViewportSize({ width: 360, height: 740 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
      const cut = await page.locator('.trace-view').evaluate((box) => box.scrollWidth > box.clientWidth);
      expect(cut).toBe(false);
      upstream
        .expect(role('guidance'), streamed(['Be brief.']))
        .expect(role('draft'), streamed(['The final draft.']))
        .expect(role('verdict'), verdict({}));
    }
  });
});
