import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';
import { axeFindings, launchBrowser, openLab, type Lab } from './lab-page.ts';

const at = (day: number) => new Date(Date.UTC(2025, 0, day)).toISOString();

describe('the causal graph in the lab', () => {
  let server: RunningServer;
  let browser: Browser;
  let lab: Lab;
  let page: Page;
  let sessionId: string;

  beforeAll(async () => {
    [server, browser] = await Promise.all([startServerProcess(), launchBrowser()]);
  });
  beforeEach(async () => {
    sessionId = (await post<{ session_id: string }>('/api/v2/sessions', {})).session_id;
  });
  afterEach(async () => {
    expect(lab.faults).toEqual([]);
    await lab.close();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  async function post<T>(path: string, body: object): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as T;
  }
  const addEvents = async (texts: string[]) => {
    const events = texts.map((text, day) => ({ text, actor: 'Ana', happened_at: at(day + 1) }));
    const added = await post<{ events: { event_id: string }[] }>(
      `/api/v2/sessions/${sessionId}/causal/events`,
      { events },
    );
    return added.events.map(({ event_id: id }) => id);
  };
  const addLinks = (links: object[]) => post(`/api/v2/sessions/${sessionId}/causal/links`, { links });
  const openCauses = async (options: BrowserContextOptions = {}) => {
    lab = await openLab(browser, `${server.url}/?session=${sessionId}`, options);
    page = lab.page;
    await page.getByText('A new conversation').waitFor();
    await page.getByRole('button', { name: 'Causes' }).click();
  };
  const event = (text: string) =>
    page.locator('.graph').getByRole('button', { name: new RegExp(`^${text}`) });
  const details = () => page.getByRole('region', { name: 'The chosen event' });

  it('draws causes left of their effects, and lights the way to and from a chosen event', async () => {
    const [freezer, cake, pizza] = await addEvents([
      'The freezer failed',
      'The cake melted',
      'We ordered pizza',
      'It rained',
    ]);
    await addLinks([
      {
        cause_id: freezer,
        effect_id: cake,
        relation: 'caused',
        confidence: 0.9,
        explanation: 'It was kept there.',
      },
      { cause_id: cake, effect_id: pizza, relation: 'enabled', confidence: 0.5 },
    ]);
    await openCauses();
    await event('The cake melted').waitFor();
    const left = async (text: string) => (await event(text).boundingBox())?.x ?? Number.NaN;
    expect(await left('The freezer failed')).toBeLessThan(await left('The cake melted'));
    expect(await left('The cake melted')).toBeLessThan(await left('We ordered pizza'));
    await event('The cake melted').focus();
    await page.keyboard.press('Enter');
    await details().getByText('It was kept there.').waitFor();
    expect(await details().textContent()).toMatch(
      /Why 90 % sure.*The freezer failed.*What followed 50 % sure.*We ordered pizza/,
    );
    expect(await page.locator('.event.lit').count()).toBe(3);
    expect(await page.locator('.arrow.lit').count()).toBe(2);
  });

  it("takes the person's word: adds, links, corrects, confirms and removes", async () => {
    await addEvents(['The freezer failed']);
    await openCauses();
    await page.getByLabel('Something that happened').fill('The cake melted');
    await page.keyboard.press('Enter');
    await event('The cake melted').click();
    await details().getByRole('button', { name: 'Link', exact: true }).click();
    await details().getByRole('button', { name: 'Add the link' }).click();
    await details().getByText('← The freezer failed').waitFor();
    expect(await page.locator('.graph .arrow').count()).toBe(1);
    await details().getByRole('button', { name: 'Correct' }).click();
    await page.getByLabel('What happened').fill('The ice cream melted');
    await page.keyboard.press('Enter');
    await event('The ice cream melted').waitFor();
    await details().getByRole('button', { name: 'Remove the link' }).click();
    await expect.poll(() => page.locator('.graph .arrow').count()).toBe(0);
    await details().getByRole('button', { name: 'Remove', exact: true }).click();
    await details().getByRole('button', { name: 'Yes, remove it' }).click();
    await expect.poll(() => page.locator('.event').count()).toBe(1);
    await event('The freezer failed').waitFor();
  });

  it.each(['light', 'dark'] as const)(
    'gives axe-core nothing to complain about (%s)',
    async (colorScheme) => {
      const [freezer, cake] = await addEvents(['The freezer failed', 'The cake melted', 'It rained']);
      await addLinks([{ cause_id: freezer, effect_id: cake, relation: 'caused', confidence: 0.6 }]);
      await openCauses({ colorScheme, bypassCSP: true });
      await event('The cake melted').click();
      await details().getByRole('button', { name: 'Link', exact: true }).click();
      expect(await axeFindings(page)).toEqual([]);
    },
  );

  it('says why a link is refused, and keeps what was chosen', async () => {
    const [first, second] = await addEvents(['The freezer failed', 'The cake melted']);
    await addLinks([{ cause_id: first, effect_id: second, relation: 'caused' }]);
    await openCauses();
    await event('The freezer failed').click();
    await details().getByRole('button', { name: 'Link', exact: true }).click();
    await details().getByRole('button', { name: 'Add the link' }).click();
    await page.getByRole('alert').waitFor();
    expect(await page.locator('.graph .arrow').count()).toBe(1);
    expect(await details().textContent()).toContain('The freezer failed');
  });

  it('draws 300 events without a stall', async () => {
    const ids = await addEvents(Array.from({ length: 300 }, (_, number) => `Event ${String(number)}`));
    await addLinks(
      ids.slice(1).map((effect, number) => ({
        cause_id: ids[Math.max(0, number - (number % 9))],
        effect_id: effect,
        relation: 'caused',
      })),
    );
    await openCauses();
    await page.evaluate(() => {
      const target = window as unknown as { longest: number };
      target.longest = 0;
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) target.longest = Math.max(target.longest, duration);
      }).observe({ type: 'longtask' });
    });
    await page.getByRole('button', { name: 'Conversation', exact: true }).click();
    await page.getByRole('button', { name: 'Causes' }).click();
    await page.getByRole('group', { name: '300 events, 299 links' }).waitFor();
    await page.waitForTimeout(300);
    const longest = await page.evaluate(() => (window as unknown as { longest: number }).longest);
    expect(longest, 'milliseconds for which the page stood still').toBeLessThan(500);
  });
});
