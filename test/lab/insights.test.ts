import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';
import { axeFindings, launchBrowser, openLab, type Lab } from './lab-page.ts';
import { moveBack } from './weeks-of-work.ts';

describe('the insights in the lab', () => {
  let server: RunningServer;
  let browser: Browser;
  let lab: Lab;
  let page: Page;
  let worked: string;

  beforeAll(async () => {
    [server, browser] = await Promise.all([startServerProcess(), launchBrowser()]);
    worked = (await post<{ session_id: string }>('/api/v2/sessions', {})).session_id;
    for (const content of ['Name three fruits.', 'Name three trees.']) {
      await post('/v2/chat/completions', { session_id: worked, messages: [{ role: 'user', content }] });
    }
    const { events } = await post<{ events: { event_id: string }[] }>(
      `/api/v2/sessions/${worked}/causal/events`,
      { events: ['The freezer failed', 'The cake melted', 'We ordered pizza'].map(toEvent) },
    );
    const [freezer, cake, pizza] = events.map(({ event_id: id }) => id);
    await post(`/api/v2/sessions/${worked}/causal/links`, {
      links: [
        { cause_id: freezer, effect_id: cake, relation: 'caused', confidence: 0.9 },
        { cause_id: cake, effect_id: pizza, relation: 'caused', confidence: 0.8 },
      ],
    });
  });
  afterEach(async () => {
    expect(lab.faults).toEqual([]);
    await lab.close();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  const toEvent = (text: string, day: number) => ({
    text,
    happened_at: new Date(Date.UTC(2025, 0, day + 1)).toISOString(),
  });
  async function post<T>(path: string, body: object): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as T;
  }
  const open = async (sessionId: string | null, options: BrowserContextOptions = {}) => {
    lab = await openLab(
      browser,
      `${server.url}/${sessionId === null ? '' : `?session=${sessionId}`}`,
      options,
    );
    page = lab.page;
    const button = page.getByRole('button', { name: 'Insights' });
    await button.focus();
    await page.keyboard.press('Enter');
  };
  const part = (name: string) => page.getByRole('region', { name, exact: true });
  const drawn = (name: string) =>
    part(name)
      .locator('canvas')
      .evaluate((canvas: HTMLCanvasElement) => {
        const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
        return pixels.some((value) => value !== 0);
      });

  it('draws what came of the work, and says the same figures as a table', async () => {
    await open(worked);
    for (const chart of ['Cycles', 'Rounds', 'Time', 'Tokens']) {
      await part(chart).waitFor();
      expect(await drawn(chart)).toBe(true);
    }
    const day = new Date().toISOString().slice(0, 10);
    await part('Cycles').getByText('As a table').click();
    expect(await part('Cycles, as a table').locator('tbody tr').allInnerTexts()).toEqual([`${day}\t2\t0`]);
    expect(await part('Tokens').locator('.chart-legend').innerText()).toMatch(
      /Beatrice: [\d,]+\s+Codey: [\d,]+/,
    );
    expect(await page.getByRole('list', { name: 'In all' }).innerText()).toMatch(
      /2 conversations[^]*10 turns[^]*2 cycles[^]*100 % approved[^]*[\d,]+ tokens/,
    );
    expect(await part('How cycles ended').locator('tbody tr').allInnerTexts()).toEqual([
      expect.stringMatching(/^Approved\t2\t1\t/),
    ]);
  });

  it('says what led to most, and leads to it', async () => {
    await open(worked);
    await part('Root causes')
      .getByRole('button', { name: /The freezer failed.*2 effects/ })
      .click();
    const details = page.getByRole('region', { name: 'The chosen event' });
    await details.getByText('The freezer failed').first().waitFor();
    await page.getByRole('button', { name: 'Insights' }).click();
    await part('Longest chains')
      .getByText('The freezer failed → The cake melted → We ordered pizza')
      .waitFor();
  });

  it('tells the figures of all sessions, and goes to the session of a cause', async () => {
    const other = (await post<{ session_id: string }>('/api/v2/sessions', {})).session_id;
    await open(other);
    await page.getByText('No cycle has ended here yet').waitFor();
    await page.getByRole('button', { name: 'All sessions' }).click();
    await part('Cycles').waitFor();
    expect(await page.getByRole('list', { name: 'In all' }).innerText()).toMatch(/^\d+ sessions/);
    await part('Root causes')
      .getByRole('button', { name: /The freezer failed/ })
      .click();
    await page.getByRole('region', { name: 'The chosen event' }).waitFor();
    expect(new URL(page.url()).searchParams.get('session')).toBe(worked);
  });

  it('says that it waits while the projection is absent, and shows the figures when they come', async () => {
    lab = await openLab(browser, `${server.url}/?session=${worked}`);
    page = lab.page;
    let asked = 0;
    await page.route('**/analytics', async (route) => {
      asked += 1;
      if (asked > 1) return route.continue();
      const json = (await (await route.fetch()).json()) as object;
      return route.fulfill({ json: { ...json, causes: null, cycle_figures: null, tokens: null } });
    });
    await page.getByRole('button', { name: 'Insights' }).click();
    await page.getByText('The server is still figuring').waitFor();
    await part('Cycles').waitFor();
    expect(await page.getByText('The server is still figuring').count()).toBe(0);
  });

  it('says why when the projection does not answer, and keeps what the record can tell', async () => {
    lab = await openLab(browser, `${server.url}/?session=${worked}`);
    page = lab.page;
    const reason = 'The projection does not answer.';
    await page.route('**/health', async (route) => {
      const json = (await (await route.fetch()).json()) as object;
      return route.fulfill({ json: { ...json, causal: { available: false, reason } } });
    });
    await page.route('**/analytics', async (route) => {
      const json = (await (await route.fetch()).json()) as object;
      return route.fulfill({
        json: { ...json, causes: null, cycle_figures: null, tokens: null, lessons: null },
      });
    });
    await page.getByRole('button', { name: 'Insights' }).click();
    await page.getByText(`The server cannot tell all of it now. ${reason}`).waitFor();
    expect(await page.getByRole('list', { name: 'In all' }).innerText()).toMatch(
      /2 conversations[^]*10 turns/,
    );
    expect(await page.getByText('No cycle has ended here yet').count()).toBe(0);
  });

  it('shows weeks of work with their pauses, and says the figures of the day under the pointer', async () => {
    const { session_id: id } = await post<{ session_id: string }>('/api/v2/sessions', {});
    for (const content of ['Plan a lunch.', 'Plan a dinner.']) {
      await post('/v2/chat/completions', { session_id: id, messages: [{ role: 'user', content }] });
    }
    await moveBack(server.url, id, (conversation) => (conversation === 0 ? 9 : 2));
    await open(id);
    const days = [9, 2].map((ago) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10));
    await part('Cycles').getByText('As a table').click();
    expect(await part('Cycles, as a table').locator('tbody tr').allInnerTexts()).toEqual(
      days.map((day) => `${day}\t1\t0`),
    );
    const legend = part('Cycles').locator('.chart-legend');
    expect(await legend.innerText()).toContain(days[1]);
    const plot = await part('Cycles').locator('.u-over').boundingBox();
    if (!plot) throw new Error('Nothing is drawn.');
    await page.mouse.move(plot.x + 0.5 * (plot.width / 8), plot.y + 40);
    await expect.poll(() => legend.innerText()).toMatch(new RegExp(`${days[0] ?? ''}[^]*Approved: 1`));
    // The third of eight days had no work.
    await page.mouse.move(plot.x + 2.5 * (plot.width / 8), plot.y + 40);
    await expect.poll(() => legend.innerText()).toMatch(/Approved: –[^]*Not approved: –/);
  });

  it('draws anew in the colours of a theme, and in the room that a window gives', async () => {
    await open(worked, { colorScheme: 'light' });
    await part('Cycles').waitFor();
    // The green of approved work, light and dark, as tokens.css has it.
    const holds = (red: number, green: number, blue: number) =>
      part('Cycles')
        .locator('canvas')
        .evaluate(
          (canvas: HTMLCanvasElement, wanted) => {
            const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? {};
            for (let at = 0; data && at < data.length; at += 4) {
              if (wanted.every((value, part) => data[at + part] === value)) return true;
            }
            return false;
          },
          [red, green, blue, 255],
        );
    await expect.poll(() => holds(0x14, 0x70, 0x4a)).toBe(true);
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(() => holds(0x6f, 0xd3, 0xa5)).toBe(true);
    expect(await holds(0x14, 0x70, 0x4a)).toBe(false);
    const width = async () => (await part('Cycles').locator('canvas').boundingBox())?.width ?? 0;
    const before = await width();
    await page.setViewportSize({ width: 700, height: 900 });
    await expect.poll(width).not.toBe(before);
    const room = await part('Cycles').locator('.canvas').boundingBox();
    await expect.poll(width).toBe(Math.floor(room?.width ?? 0));
  });

  it('is used with the keyboard alone', async () => {
    await open(worked);
    await part('Root causes').waitFor();
    const reach = async (text: RegExp) => {
      for (let tries = 0; tries < 60; tries += 1) {
        await page.keyboard.press('Tab');
        const focused = page.locator(':focus');
        if (text.test((await focused.count()) > 0 ? await focused.innerText() : '')) return;
      }
      throw new Error(`The Tab key does not reach ${String(text)}.`);
    };
    await reach(/^All sessions$/);
    await page.keyboard.press('Enter');
    await page
      .getByText(/sessions?$/)
      .first()
      .waitFor();
    await reach(/^As a table$/);
    await page.keyboard.press('Enter');
    await part('Cycles, as a table').locator('tbody tr').first().waitFor();
    await reach(/The freezer failed/);
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'The chosen event' }).waitFor();
  });

  it('fits a telephone, with nothing cut off', async () => {
    await open(worked, { viewport: { width: 360, height: 740 } });
    await part('Tokens').waitFor();
    const [room, needed] = await page
      .locator('.insights')
      .evaluate((view) => [view.clientWidth, view.scrollWidth]);
    expect(needed).toBe(room);
    const canvas = await part('Tokens').locator('canvas').boundingBox();
    expect((canvas?.x ?? 0) + (canvas?.width ?? 999)).toBeLessThanOrEqual(360);
  });

  it.each(['light', 'dark'] as const)(
    'gives axe-core nothing to complain about (%s)',
    async (colorScheme) => {
      await open(worked, { colorScheme, bypassCSP: true });
      await part('Root causes').waitFor();
      for (const table of await page.getByText('As a table').all()) await table.click();
      expect(await axeFindings(page)).toEqual([]);
    },
  );
});
