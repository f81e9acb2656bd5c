import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';
import { axeFindings, launchBrowser, openLab, shownTurns, type Lab } from './lab-page.ts';

/** The built page, with the built-in rehearsal behind it. */
describe('the lab on a first visit', () => {
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

  it('says that a rehearsal answers and how to connect a model', async () => {
    lab = await openLab(browser, server.url);
    const banner = lab.page.getByRole('region', { name: 'Provider' });
    await banner.waitFor();
    expect(await banner.textContent()).toMatch(/rehearsal model.*OPENAI_API_KEY.*OPENAI_BASE_URL/);
  });

  it("shows the three agents' turns and how it ended", async () => {
    lab = await openLab(browser, server.url);
    await lab.say('My sister Ana is allergic to peanuts.');
    await lab.ended();
    const turns = await shownTurns(lab.page);
    expect(turns.map(({ who, kind }) => `${who} ${kind}`)).toEqual([
      'Wykeve directive',
      'Beatrice guidance',
      'Codey draft',
      'Beatrice verdict',
      'Codey answer',
    ]);
    expect(turns[0]?.text).toBe('My sister Ana is allergic to peanuts.');
    expect(await lab.page.getByRole('status').textContent()).toContain('Approved');
  });

  it('shows what memory added from another conversation, and leads to the turn itself', async () => {
    lab = await openLab(browser, server.url);
    const { page } = lab;
    await lab.say('My sister Ana is allergic to peanuts.');
    await lab.ended();
    await page.getByRole('button', { name: 'New conversation' }).click();
    await lab.say('What should I not cook for Ana?');
    await lab.ended();
    const remembered = page.locator('.remembered > li', { hasText: 'My sister Ana is allergic to peanuts.' });
    await remembered.first().waitFor();
    expect(await page.getByRole('tabpanel').textContent()).toMatch(/Memory added \d+ tokens/);
    await page.getByText('As the model was sent it').click();
    expect(await page.locator('.raw').first().textContent()).toContain('allergic to peanuts');
    await remembered.first().getByRole('button', { name: 'Go to this turn' }).click();
    await page.locator('.turn.marked').waitFor();
    expect(await page.locator('.turn.marked').textContent()).toContain('My sister Ana');
    expect((await shownTurns(page))[0]?.text).toBe('My sister Ana is allergic to peanuts.');
  });

  it('opens the same view after a reload, by its address, and when the person goes back', async () => {
    lab = await openLab(browser, server.url);
    await lab.say('Remember that the spare key lies under the blue pot.');
    await lab.ended();
    const { page } = lab;
    const pressed = (name: string) =>
      page.getByRole('button', { name, exact: true, pressed: true }).waitFor();
    await page.getByRole('button', { name: 'Agents', exact: true }).click();
    await page.getByRole('button', { name: 'Insights', exact: true }).click();
    expect(new URL(page.url()).searchParams.get('view')).toBe('insights');
    await page.reload();
    await pressed('Insights');
    await page.goBack();
    await pressed('Agents');
    expect(new URL(page.url()).searchParams.get('session')).not.toBeNull();
    await page.getByRole('button', { name: 'Conversation', exact: true }).click();
    expect(new URL(page.url()).searchParams.has('view')).toBe(false);
    await page.goto(page.url().replace('?', '?view=nowhere&'));
    await pressed('Conversation');
  });

  it('opens the same place after a reload, and in another window by its address', async () => {
    lab = await openLab(browser, server.url);
    await lab.say('Remember that the spare key lies under the blue pot.');
    await lab.ended();
    // The ids of the stored turns come with a quiet second look.
    await lab.page.locator('.turn.answer[data-turn]').waitFor();
    const before = await shownTurns(lab.page);
    await lab.page.reload();
    await lab.ended();
    expect(await shownTurns(lab.page)).toEqual(before);
    const other = await openLab(browser, lab.page.url());
    await other.ended();
    expect(await shownTurns(other.page)).toEqual(before);
    expect(other.faults).toEqual([]);
    await other.close();
    await lab.say('Where is the spare key?');
    await lab.page.locator('.turn.answer').nth(1).waitFor();
    expect((await lab.page.locator('.turn.answer').nth(1).textContent()) ?? '').toContain('blue pot');
  });

  it('goes back and forth between places with the browser', async () => {
    lab = await openLab(browser, server.url);
    const { page } = lab;
    await lab.say('First thread.');
    await lab.ended();
    await page.getByRole('button', { name: 'New conversation' }).click();
    await lab.say('Second thread.');
    await lab.ended();
    await page.goBack();
    await page.getByText('A new conversation').waitFor();
    await page.goBack();
    await page.locator('.turn', { hasText: 'First thread.' }).first().waitFor();
    await page.goForward();
    await page.goForward();
    await page.locator('.turn', { hasText: 'Second thread.' }).first().waitFor();
    // As fast as a person can press.
    await page.goBack();
    await page.goBack();
    await page.locator('.turn', { hasText: 'First thread.' }).first().waitFor();
  });

  it.each([
    { width: 1280, height: 800 },
    { width: 390, height: 844 },
  ])('opens a conversation at its very end, at a width of $width', async (viewport) => {
    lab = await openLab(browser, server.url, { viewport });
    const { page } = lab;
    for (const directive of ['The first thing.', 'Give me three points about bees.']) {
      await lab.say(directive);
      await lab.ended();
    }
    // How it ended is heard after the turns are shown.
    await page.route('**/events?**', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await route.continue();
    });
    await page.reload();
    await lab.ended();
    const below = () =>
      page.locator('.thread').evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight);
    await expect.poll(below).toBeLessThan(2);
    expect(await page.locator('.thread').evaluate((box) => box.scrollTop)).toBeGreaterThan(0);
  });

  it('is used with the keyboard alone', async () => {
    lab = await openLab(browser, server.url);
    const { page } = lab;
    await page.getByRole('region', { name: 'Provider' }).waitFor();
    const reach = async (name: string) => {
      for (let presses = 0; presses < 40; presses++) {
        await page.keyboard.press('Tab');
        const focused = await page.evaluate(() => {
          const element = document.activeElement;
          if (element instanceof HTMLTextAreaElement) return element.labels[0]?.textContent ?? '';
          return element?.getAttribute('aria-label') ?? element?.textContent ?? '';
        });
        if (focused.trim() === name) {
          const outline = await page.evaluate(
            () => getComputedStyle(document.activeElement ?? document.body).outlineStyle,
          );
          expect(outline, `${name} shows that it has the focus`).not.toBe('none');
          return;
        }
      }
      throw new Error(`Tab never reaches "${name}".`);
    };
    await reach('New session');
    await page.keyboard.press('Enter');
    await page.getByText('A new conversation').waitFor();
    await reach('Directive');
    await page.keyboard.type('Two lines:');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('the second.');
    await page.keyboard.press('Enter');
    await lab.ended();
    expect((await shownTurns(page))[0]?.text).toBe('Two lines:\nthe second.');
    await reach('Context');
    await page.keyboard.press('ArrowRight');
    expect(await page.getByRole('tab', { name: 'Trace' }).getAttribute('aria-selected')).toBe('true');
    await page.locator('.step').first().waitFor();
  });

  it('fits a screen 360 pixels wide', async () => {
    lab = await openLab(browser, server.url, { viewport: { width: 360, height: 740 } });
    const { page } = lab;
    const width = () => page.evaluate(() => document.documentElement.scrollWidth);
    await lab.say(`A long word ${'x'.repeat(300)} and an address https://example.org/${'y'.repeat(200)}`);
    await lab.ended();
    expect(await width()).toBe(360);
    const cut = await page.locator('.thread').evaluate((thread) => thread.scrollWidth > thread.clientWidth);
    expect(cut).toBe(false);
    for (const name of ['Look inside', 'Sessions']) {
      await page.getByRole('button', { name, exact: true }).click();
      expect(await width()).toBe(360);
    }
    expect(await page.getByRole('button', { name: 'Delete' }).isVisible()).toBe(true);
  });

  it.each(['light', 'dark'] as const)(
    'gives axe-core nothing to complain about (%s)',
    async (colorScheme) => {
      lab = await openLab(browser, server.url, { colorScheme, bypassCSP: true });
      const { page } = lab;
      await lab.say('Give me three points about peanuts.');
      await lab.ended();
      const found: string[] = [];
      for (const name of ['Context', 'Trace', 'Settings']) {
        await page.getByRole('tab', { name }).click();
        found.push(...(await axeFindings(page)));
      }
      expect(found).toEqual([]);
    },
  );

  /** They show what this is about, with the rehearsal model too. */
  describe('offers directives to begin with, which', () => {
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
});
