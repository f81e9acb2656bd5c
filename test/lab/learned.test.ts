import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';
import { role, startUpstream, streamed, type Upstream } from '../support/upstream.ts';
import { axeFindings, launchBrowser, openLab, type Lab } from './lab-page.ts';

describe('agents, lessons and facts in the lab', () => {
  let upstream: Upstream;
  let server: RunningServer;
  let browser: Browser;
  let lab: Lab;
  let page: Page;
  let sessionId: string;

  beforeAll(async () => {
    upstream = await startUpstream();
    [server, browser] = await Promise.all([
      startServerProcess({ env: { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'sk-test' } }),
      launchBrowser(),
    ]);
  });
  beforeEach(async () => {
    sessionId = (await call<{ session_id: string }>('POST', '/api/v2/sessions', {})).session_id;
  });
  afterEach(async () => {
    expect(lab.faults).toEqual([]);
    await lab.close();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
    await upstream.close();
  });

  async function call<T>(method: string, path: string, body?: object): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(server.url + path, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new Error(await response.text());
    return (response.status === 204 ? undefined : await response.json()) as T;
  }
  const lessonsPath = (agent = 'codey') => `/api/v2/sessions/${sessionId}/agents/${agent}/lessons`;
  const lessons = async (agent = 'codey') =>
    (await call<{ lessons: Record<string, unknown>[] }>('GET', lessonsPath(agent))).lessons;
  const facts = async (query = '') =>
    (await call<{ data: Record<string, unknown>[] }>('GET', `/api/v2/sessions/${sessionId}/facts${query}`))
      .data;
  const open = async (view: 'Agents' | 'Facts', options: BrowserContextOptions = {}) => {
    lab = await openLab(browser, `${server.url}/?session=${sessionId}`, options);
    page = lab.page;
    const button = page.getByRole('button', { name: view, exact: true });
    await button.focus();
    await page.keyboard.press('Enter');
  };
  const agent = (name: string) => page.getByRole('region', { name, exact: true });

  describe('what an agent has learned', () => {
    it('is taught, pinned, retired, taken back, changed and deleted by the person, with the keyboard alone', async () => {
      await open('Agents');
      const press = async (name: string) => {
        await agent('Codey').getByRole('button', { name, exact: true }).focus();
        await page.keyboard.press('Enter');
      };
      await press('Teach Codey something');
      await page.getByLabel('What to keep in mind').fill('Name the source of each figure.');
      await page.getByLabel('For what kind of work').fill('reports');
      await page.keyboard.press('Enter');
      await agent('Codey').getByText('Name the source of each figure.').waitFor();
      await agent('Codey').getByText('Not tried yet.').waitFor();
      await press('Pin');
      await agent('Codey').getByText('Pinned', { exact: true }).waitFor();
      expect(await lessons()).toMatchObject([{ pinned: true, trigger: 'reports', author: 'person' }]);
      await press('Unpin');
      await press('Retire');
      await agent('Codey').getByText('Retired', { exact: true }).waitFor();
      await press('Use it again');
      await agent('Codey').getByText('In use').waitFor();
      await press('Edit');
      await page.getByLabel('What to keep in mind').fill('Name the source, with its year.');
      await press('Save');
      await agent('Codey').getByText('Name the source, with its year.').waitFor();
      await press('History');
      expect(await agent('Codey').getByRole('list', { name: 'What it was' }).innerText()).toContain(
        '“Name the source of each figure.”, for: reports',
      );
      await press('Delete');
      await agent('Codey').getByText('It will not be learned again by itself.').waitFor();
      await press('Yes, delete it');
      await agent('Codey').getByText('Nothing learned yet.').waitFor();
      expect(await lessons()).toEqual([]);
    });

    it('is listed by what became of it, each with its agent', async () => {
      const { lesson_id: old } = await call<{ lesson_id: string }>('POST', lessonsPath(), {
        text: 'Be brief.',
      });
      await call('PATCH', `${lessonsPath()}/${old}`, { status: 'retired' });
      await call('POST', lessonsPath('beatrice'), { text: 'Ask for the units of each figure.' });
      await open('Agents');
      await agent('Beatrice').getByText('Ask for the units of each figure.').waitFor();
      await page.getByRole('button', { name: /^Retired/ }).click();
      await agent('Codey').getByText('Be brief.').waitFor();
      expect(await agent('Beatrice').getByText('Ask for the units').count()).toBe(0);
    });

    it('keeps what was typed when somebody else was faster, and shows what they wrote', async () => {
      const { lesson_id: id } = await call<{ lesson_id: string }>('POST', lessonsPath(), {
        text: 'Be brief.',
      });
      await open('Agents');
      await agent('Codey').getByRole('button', { name: 'Edit' }).click();
      await page.getByLabel('What to keep in mind').fill('Be very brief.');
      await call('PATCH', `${lessonsPath()}/${id}`, { text: 'Be brief, but kind.' });
      await agent('Codey').getByRole('button', { name: 'Save' }).click();
      await page.getByRole('alert').getByText('Somebody else has changed it').waitFor();
      await agent('Codey').getByText('Be brief, but kind.').waitFor();
      expect(await page.getByLabel('What to keep in mind').inputValue()).toBe('Be very brief.');
      await agent('Codey').getByRole('button', { name: 'Save' }).click();
      await agent('Codey').getByText('Be very brief.').waitFor();
    });

    it('names the cycle that taught it, and leads there', async () => {
      upstream
        .expect(role('guidance'), streamed(['Write it.']))
        .expect(role('draft'), streamed(['The shed holds 12 chairs.']))
        .expect(
          role('verdict'),
          streamed([
            JSON.stringify({
              decision: 'revise',
              issues: [
                { id: 'i1', severity: 'major', where: '12 chairs', fix: 'Say who counted the chairs.' },
              ],
              resolved: [],
              criteria: [],
              lesson: null,
            }),
          ]),
        )
        .expect(role('draft'), streamed(['The shed holds 12 chairs, counted by Ana.']))
        .expect(
          role('verdict'),
          streamed([
            JSON.stringify({
              decision: 'approve',
              issues: [],
              resolved: ['i1'],
              criteria: [],
              lesson: 'Say who counted what is reported as a number.',
            }),
          ]),
        );
      lab = await openLab(browser, `${server.url}/?session=${sessionId}`);
      page = lab.page;
      await lab.say('How many chairs are in the shed?');
      await lab.ended();
      await page.getByRole('button', { name: 'Agents', exact: true }).click();
      await agent('Codey').getByText('Learned,').waitFor();
      await agent('Codey')
        .getByRole('button', { name: /^From a cycle/ })
        .click();
      const shown = page.getByRole('button', { name: 'Conversation', exact: true });
      await expect.poll(() => shown.getAttribute('aria-pressed')).toBe('true');
      await page.locator('.turn').getByText('How many chairs are in the shed?').first().waitFor();
      await page.getByRole('tab', { name: 'Trace' }).waitFor();
    });
  });

  describe('what is known', () => {
    it('is added, corrected, closed and forgotten by the person', async () => {
      await open('Facts');
      await page.getByText('No facts are known in this session.').waitFor();
      await page.getByRole('button', { name: 'Add a fact' }).click();
      await page.getByLabel('Of whom or what').fill('Ana');
      await page.getByLabel('What about it').fill('home');
      await page.getByLabel('What is so').fill('Lyon');
      await page.keyboard.press('Enter');
      const card = page.locator('.fact');
      await card.getByText('Ana · home: Lyon').waitFor();
      await card.getByRole('button', { name: 'Correct' }).click();
      await page.getByLabel('What is so').fill('Paris');
      await card.getByRole('button', { name: 'Save' }).click();
      await card.getByText('Ana · home: Paris').waitFor();
      await card.getByRole('button', { name: 'History' }).click();
      expect(await card.getByRole('list', { name: 'What it was' }).innerText()).toContain('Lyon');
      await card.getByRole('button', { name: 'No longer so' }).click();
      await page.getByText('No facts are known in this session.').waitFor();
      await page.getByLabel('With what held once').check();
      await card.getByText(/since .* until /).waitFor();
      expect(await facts()).toEqual([]);
      await card.getByRole('button', { name: 'Forget' }).click();
      await card.getByRole('button', { name: 'Yes, forget it' }).click();
      await expect.poll(() => facts('?history=true')).toEqual([]);
    });

    it('is found by its words, and read 50 at a time', async () => {
      for (let i = 0; i < 55; i += 1)
        await call('POST', `/api/v2/sessions/${sessionId}/facts`, {
          subject: `Guest ${String(i)}`,
          attribute: 'table',
          value: String(i % 9),
        });
      await open('Facts');
      await expect.poll(() => page.locator('.fact').count()).toBe(50);
      await page.getByRole('button', { name: 'Older facts' }).click();
      await expect.poll(() => page.locator('.fact').count()).toBe(55);
      await page.getByLabel('Find a fact').fill('guest 54');
      await expect.poll(() => page.locator('.fact').count()).toBe(1);
    });
  });

  it.each(['light', 'dark'] as const)(
    'gives axe-core nothing to complain about (%s)',
    async (colorScheme) => {
      await call('POST', lessonsPath(), { text: 'Be brief.', pinned: true });
      await call('POST', `/api/v2/sessions/${sessionId}/facts`, {
        subject: 'Ana',
        attribute: 'home',
        value: 'Lyon',
      });
      await open('Agents', { colorScheme, bypassCSP: true, viewport: { width: 360, height: 740 } });
      await agent('Codey').getByRole('button', { name: 'Edit' }).click();
      expect(await axeFindings(page)).toEqual([]);
      const view = page.locator('.learned');
      expect(await view.evaluate((each) => each.scrollWidth - each.clientWidth)).toBe(0);
      await page.getByRole('button', { name: 'Facts', exact: true }).click();
      await page.locator('.fact').getByRole('button', { name: 'Correct' }).click();
      expect(await axeFindings(page)).toEqual([]);
      expect(await view.evaluate((each) => each.scrollWidth - each.clientWidth)).toBe(0);
    },
  );
});
