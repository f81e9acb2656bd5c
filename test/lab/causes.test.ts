import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';
import { launchBrowser, openLab, type Lab } from './lab-page.ts';

const at = (day: number) => new Date(Date.UTC(2026, 0, day)).toISOString();
const node = (number: number, text: string) => ({
  event_id: `evt_${String(number)}`,
  conversation_id: null,
  source_turn_id: null,
  text,
  actor: 'Ana',
  happened_at: at(number),
  recorded_by: 'person',
});
const link = (cause: number, effect: number, relation = 'caused', explanation = '') => ({
  link_id: `link_${String(cause)}_${String(effect)}`,
  cause_id: `evt_${String(cause)}`,
  effect_id: `evt_${String(effect)}`,
  relation,
  confidence: 0.9,
  explanation,
  judged_by: 'model',
});

describe('the causal graph in the lab', () => {
  let server: RunningServer;
  let browser: Browser;
  let lab: Lab;
  let page: Page;

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

  const open = async (graph: object, explanations: Record<string, object> = {}) => {
    lab = await openLab(browser, server.url);
    page = lab.page;
    await page.route('**/health', async (route) => {
      const health = (await (await route.fetch()).json()) as object;
      await route.fulfill({ json: { ...health, causal: { available: true, reason: null, lag: 0 } } });
    });
    await page.route('**/causal/graph?*', (route) => route.fulfill({ json: graph }));
    await page.route('**/causal/events/**', (route) => {
      const path = new URL(route.request().url()).pathname.split('/').slice(-2).join('/');
      return route.fulfill({ json: explanations[path] ?? {} });
    });
    await page.reload();
    await page.getByRole('button', { name: 'New session' }).click();
    await page.getByText('A new conversation').waitFor();
    await page.getByRole('button', { name: 'Causes' }).click();
  };

  it('draws causes left of their effects, and lights the way to and from a chosen event', async () => {
    const nodes = [
      node(1, 'The freezer failed'),
      node(2, 'The cake melted'),
      node(3, 'We ordered pizza'),
      node(4, 'It rained'),
    ];
    const links = [link(1, 2, 'caused', 'It was kept there.'), link(2, 3, 'enabled')];
    const chain = (ids: number[]) => ({
      event_ids: ids.map((id) => `evt_${String(id)}`),
      link_ids: ids.slice(1).map((id, before) => `link_${String(ids[before])}_${String(id)}`),
      confidence: 0.81,
    });
    await open(
      { nodes, links, truncated: false, next_cursor: null },
      {
        'evt_2/why': {
          event: nodes[1],
          nodes: nodes.slice(0, 2),
          links: links.slice(0, 1),
          truncated: false,
          chain: chain([1, 2]),
        },
        'evt_2/effects': {
          event: nodes[1],
          nodes: nodes.slice(1, 3),
          links: links.slice(1),
          truncated: false,
          chain: chain([2, 3]),
        },
      },
    );
    const event = (text: string) => page.getByRole('button', { name: new RegExp(`^${text}`) });
    await event('The cake melted').waitFor();
    const left = async (text: string) => (await event(text).boundingBox())?.x ?? Number.NaN;
    expect(await left('The freezer failed')).toBeLessThan(await left('The cake melted'));
    expect(await left('The cake melted')).toBeLessThan(await left('We ordered pizza'));
    await event('The cake melted').focus();
    await page.keyboard.press('Enter');
    const details = page.getByRole('region', { name: 'The chosen event' });
    await details.getByText('It was kept there.').waitFor();
    expect(await details.textContent()).toMatch(
      /Why 81 % sure.*The freezer failed.*What followed.*We ordered pizza/,
    );
    expect(await page.locator('.event.lit').count()).toBe(3);
    expect(await page.locator('.arrow.lit').count()).toBe(2);
  });

  it('draws 300 events without a stall', async () => {
    const nodes = Array.from({ length: 300 }, (_, number) => node(number, `Event ${String(number)}`));
    const links = nodes.slice(1).map((_, number) => link(Math.max(0, number - (number % 9)), number + 1));
    lab = await openLab(browser, server.url);
    await lab.close();
    await open({ nodes, links, truncated: true, next_cursor: null });
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
    await page.getByText('There is more than can be drawn at once.').waitFor();
    await page.waitForTimeout(300);
    const longest = await page.evaluate(() => (window as unknown as { longest: number }).longest);
    expect(longest, 'milliseconds for which the page stood still').toBeLessThan(500);
  });
});
