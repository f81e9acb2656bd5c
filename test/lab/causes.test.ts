import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';
import { axeFindings, launchBrowser, openLab, watchStalls, type Lab } from './lab-page.ts';

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
    // Why, and what followed, come with answers of their own.
    await expect
      .poll(() => details().textContent())
      .toMatch(/Why 90 % sure.*The freezer failed.*What followed 50 % sure.*We ordered pizza/);
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
    await details().getByRole('button', { name: 'Correct', exact: true }).click();
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

  it('lets the person correct what joins two events, how sure it is, and why', async () => {
    const [freezer, cake] = await addEvents(['The freezer failed', 'The cake melted']);
    await addLinks([{ cause_id: freezer, effect_id: cake, relation: 'caused', confidence: 0.4 }]);
    await openCauses();
    await event('The cake melted').click();
    await details().getByRole('button', { name: 'Correct the link' }).click();
    await details().getByLabel('The effect').selectOption('enabled');
    await details().getByLabel('Sure, in percent').fill('70');
    await details().getByLabel('Because').fill('The door stood open.');
    await details().getByRole('button', { name: 'Save the link' }).click();
    await details().getByText('70 % sure, by a person: The door stood open.').waitFor();
    expect(await page.locator('.graph .arrow').getAttribute('class')).toContain('enabled');
    const { links } = (await (
      await fetch(`${server.url}/api/v2/sessions/${sessionId}/causal/graph`)
    ).json()) as { links: object[] };
    expect(links).toMatchObject([
      { relation: 'enabled', confidence: 0.7, explanation: 'The door stood open.', judged_by: 'person' },
    ]);
  });

  it('leads from event to event with the arrow keys, and brings each into sight', async () => {
    const ids = await addEvents(Array.from({ length: 12 }, (_, number) => `Step ${String(number + 1)}!`));
    await addLinks(
      ids.slice(1).map((effect, number) => ({
        cause_id: ids[number],
        effect_id: effect,
        relation: 'caused',
      })),
    );
    await openCauses();
    // The drawing opens at its right end: what happened first is out of sight.
    await event('Step 12!').waitFor();
    const focused = () =>
      page.evaluate(() => document.activeElement?.querySelector('title')?.textContent ?? '');
    await page.getByRole('button', { name: 'Fit' }).focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await focused()).toContain('Step 12!');
    for (let step = 11; step >= 1; step--) {
      await page.keyboard.press('ArrowLeft');
      expect(await focused()).toContain(`Step ${String(step)}!`);
    }
    const [frame, box] = [
      await page.locator('.graph > svg').boundingBox(),
      await event('Step 1!').boundingBox(),
    ];
    expect(box!.x).toBeGreaterThanOrEqual(frame!.x);
    expect(box!.x + box!.width).toBeLessThanOrEqual(frame!.x + frame!.width);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await details().getByText('Step 2!').first().waitFor();
    expect(await page.locator('.event.chosen title').textContent()).toContain('Step 2!');
  });

  it('draws events that nothing joins in rows by their time', async () => {
    await addEvents(Array.from({ length: 9 }, (_, number) => `Alone ${String(number)}!`));
    await openCauses();
    await event('Alone 8!').waitFor();
    const [first, second, last] = await Promise.all(
      [0, 1, 8].map((number) => event(`Alone ${String(number)}!`).boundingBox()),
    );
    expect(first!.y).toBeCloseTo(second!.y, 0);
    expect(first!.x).toBeLessThan(second!.x);
    expect(last!.y).toBeGreaterThan(first!.y);
  });

  it('draws in rows when the layout takes too long, and goes on', async () => {
    const [freezer, cake] = await addEvents(['The freezer failed', 'The cake melted']);
    await addLinks([{ cause_id: freezer, effect_id: cake, relation: 'caused' }]);
    lab = await openLab(browser, `${server.url}/?session=${sessionId}`);
    page = lab.page;
    await page.route('**/graph-worker.js', (route) =>
      route.fulfill({ contentType: 'text/javascript', body: 'self.onmessage = () => { for (;;); };' }),
    );
    await page.getByText('A new conversation').waitFor();
    await page.getByRole('button', { name: 'Causes' }).click();
    await event('The cake melted').click();
    await details().getByText('← The freezer failed').waitFor();
  });

  const dragAndZoom = async () => {
    const frame = (await page.locator('.graph > svg').boundingBox())!;
    await page.mouse.move(frame.x + 300, frame.y + 200);
    await page.mouse.down();
    for (let step = 1; step <= 20; step++) await page.mouse.move(frame.x + 300 + step * 10, frame.y + 200);
    await page.mouse.up();
    for (let step = 0; step < 10; step++) await page.mouse.wheel(0, 100);
  };

  it('draws, moves and searches 300 events of more without a stall', async () => {
    const ids = await addEvents(
      Array.from({ length: 320 }, (_, number) => `Event number ${String(number)}!`),
    );
    await addLinks(
      ids.slice(1).map((effect, number) => ({
        cause_id: ids[Math.max(0, number - (number % 9))],
        effect_id: effect,
        relation: 'caused',
      })),
    );
    await openCauses();
    await page.getByRole('group', { name: /^300 events/ }).waitFor();
    // What the machine does beside it comes once or twice; what the page does wrong comes each time.
    let least = Infinity;
    for (let time = 0; time < 3; time++) {
      const stalls = await watchStalls(page);
      await page.getByRole('button', { name: 'Conversation', exact: true }).click();
      await page.getByRole('button', { name: 'Causes' }).click();
      await page.getByRole('group', { name: /^300 events/ }).waitFor();
      await dragAndZoom();
      least = Math.min(least, (await stalls())[0] ?? 0);
    }
    expect(await page.locator('.event.chosen').count(), 'a drag chooses nothing').toBe(0);
    expect(least, 'milliseconds for which the page stood still').toBeLessThan(400);
    await page.getByText('These are the newest 300').waitFor();
    await page.getByLabel('Find an event').fill('number 3!');
    await page.keyboard.press('Enter');
    await page
      .getByRole('region', { name: 'Events found' })
      .getByRole('button', { name: /number 3!/ })
      .click();
    await page
      .getByText('These are the nearest')
      .or(page.getByText('Show the newest events'))
      .first()
      .waitFor();
    await page.locator('.event.chosen').waitFor();
    expect(await page.locator('.event.chosen title').textContent()).toContain('Event number 3!');
    await page.getByRole('button', { name: 'Show the newest events' }).click();
    await page.getByText('These are the newest 300').waitFor();
  });
});
