import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';
import { launchBrowser, openLab, watchStalls, type Lab } from './lab-page.ts';

const TURNS = 5_000;
const SESSIONS = 1_200;
/** The page may stand still this long on a machine that does other things too. In milliseconds. */
const STALL_MS = 400;

/** One memory with 5,000 turns among 1,200 others: what is not in sight is not on the page. */
describe('long lists in the lab', () => {
  let server: RunningServer;
  let browser: Browser;
  let lab: Lab;
  let page: Page;
  let place: string;

  const post = async (path: string, body: object): Promise<Record<string, string>> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as Record<string, string>;
  };

  beforeAll(async () => {
    [server, browser] = await Promise.all([startServerProcess(), launchBrowser()]);
    for (let first = 0; first < SESSIONS; first += 50) {
      await Promise.all(
        Array.from({ length: 50 }, (_, at) =>
          post('/api/v2/sessions', { user_preferences: { name: `Garden ${String(first + at)}` } }),
        ),
      );
    }
    const { session_id: session = '' } = await post('/api/v2/sessions', {
      user_preferences: { name: 'Long' },
    });
    const { conversation_id: thread = '' } = await post('/api/v2/conversations', {
      session_id: session,
      directive: 'Turn 1: what was said first.',
    });
    for (let next = 2; next <= TURNS; next += 1_000) {
      const turns = Array.from({ length: Math.min(1_000, TURNS - next + 1) }, (_, at) => ({
        agent: at % 2 === 0 ? 'codey' : 'wykeve',
        content: `Turn ${String(next + at)}: **some** words${at % 20 === 0 ? '\n\n```ts\nconst answer = 42;\n```\n\n- one\n- two' : ''}`,
      }));
      await post(`/api/v2/conversations/${thread}/turns`, { turns });
    }
    place = `${server.url}/?session=${session}&conversation=${thread}`;
  });
  afterEach(async () => {
    expect(lab.faults).toEqual([]);
    await lab.close();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  const open = async (more = '') => {
    lab = await openLab(browser, place + more);
    page = lab.page;
  };
  const turn = (number: number) => page.locator('.turn', { hasText: `Turn ${String(number)}:` });
  const inSight = (number: number) =>
    expect
      .poll(async () => {
        const box = await turn(number).boundingBox();
        return box !== null && box.y < 800 && box.y + box.height > 100;
      })
      .toBe(true);

  /** Scrolls by screens, a step a frame, until no more comes; gives the numbers of all turns that were in sight. */
  const scrollThrough = (direction: -1 | 1) =>
    page.locator('.thread').evaluate(async (box, sign) => {
      const by = sign * (box.clientHeight - 20);
      const seen = new Set<number>();
      const onPage: number[] = [];
      const last = () => box.querySelector('.later') === null;
      const first = () => box.querySelector('.beyond:not(.later)') === null;
      for (let still = 0; still < 20;) {
        const before = box.scrollTop;
        await new Promise(requestAnimationFrame);
        const frame = box.getBoundingClientRect();
        const items = [...box.querySelectorAll('li[data-key]')];
        onPage.push(items.length);
        for (const item of items) {
          const { top, bottom } = item.getBoundingClientRect();
          if (bottom <= frame.top) continue;
          if (top >= frame.bottom) break;
          seen.add(Number(item.querySelector('a.what')?.textContent?.slice(1)));
        }
        box.scrollTop += by;
        still = box.scrollTop === before && (by < 0 ? first() : last()) ? still + 1 : 0;
      }
      return { seen: seen.size, most: Math.max(...onPage) };
    }, direction);

  it('scrolls 5,000 turns from end to end without a stall, and shows every one of them', async () => {
    await open();
    await inSight(TURNS);
    expect(await page.locator('.turn').count()).toBe(100);
    const stalls = await watchStalls(page);
    const up = await scrollThrough(-1);
    await inSight(1);
    const down = await scrollThrough(1);
    await inSight(TURNS);
    expect([up.seen, down.seen]).toEqual([TURNS, TURNS]);
    expect(Math.max(up.most, down.most), 'turns on the page at once').toBeLessThanOrEqual(250);
    const [, , third = 0] = await stalls();
    expect(third, 'milliseconds for which the page stood still').toBeLessThan(STALL_MS);
  }, 180_000);

  it('opens at an early turn by its link, goes to the end at a word, and back with the browser', async () => {
    await open('&turn=7');
    await page.locator('.turn.marked', { hasText: 'Turn 7:' }).waitFor();
    await inSight(7);
    expect(await page.locator('.turn').count()).toBeLessThanOrEqual(150);
    await page.getByRole('button', { name: 'To the end' }).click();
    await inSight(TURNS);
    expect(page.url()).not.toContain('turn=');
    await page.goBack();
    await page.locator('.turn.marked', { hasText: 'Turn 7:' }).waitFor();
    await inSight(7);
  });

  it('gives each turn a link of its own', async () => {
    await open();
    await turn(TURNS - 3)
      .getByRole('link', { name: `#${String(TURNS - 3)}` })
      .click();
    await expect.poll(() => page.url()).toContain(`turn=${String(TURNS - 3)}`);
    await page.reload();
    await page.locator('.turn.marked', { hasText: `Turn ${String(TURNS - 3)}:` }).waitFor();
  });

  it('says something at the end from wherever the reader is', async () => {
    await open('&turn=1200');
    await page.locator('.turn.marked', { hasText: 'Turn 1200:' }).waitFor();
    await lab.say('And what is new?');
    await lab.ended();
    const answer = page.locator('.turn.answer').last();
    await answer.waitFor();
    expect(await page.locator('.turn').first().textContent()).toMatch(/Turn 4\d{3}:/);
    await expect.poll(async () => ((await answer.boundingBox())?.y ?? 9_999) < 800).toBe(true);
  });

  it('finds a turn in the middle by what was said', async () => {
    await open();
    await inSight(TURNS);
    await page.getByLabel('Search everything said in this session').fill('what was said first');
    await page.keyboard.press('Enter');
    // Until they are found the conversation stands here, which is called the same.
    await page.getByText(/turns? found$/).waitFor();
    await page.getByRole('button', { name: /^Turn 1: what was said first\./ }).click();
    await page.locator('.turn.marked', { hasText: 'Turn 1: what was said first.' }).waitFor();
    await inSight(1);
  });

  it('lists a thousand sessions as they are scrolled to, and finds one that is not listed yet', async () => {
    await open();
    const list = page.locator('.sessions');
    await list.locator('.entry').nth(40).waitFor();
    expect(await list.locator('.entry').count()).toBeLessThan(200);
    const stalls = await watchStalls(page);
    await page.getByLabel('Find a session by name').fill('garden 77');
    await list.getByRole('button', { name: /^Garden 77\b/ }).waitFor();
    await page.getByLabel('Find a session by name').fill('');
    await expect.poll(() => list.locator('.entry').count()).toBeGreaterThan(40);
    await list.evaluate(async (box) => {
      while (box.querySelector(':scope > li > .small')) {
        box.scrollTop = box.scrollHeight;
        await new Promise(requestAnimationFrame);
      }
    });
    expect(await list.locator('.entry').count()).toBe(SESSIONS + 1);
    const [, , third = 0] = await stalls();
    expect(third, 'milliseconds for which the page stood still').toBeLessThan(STALL_MS);
  });
});
