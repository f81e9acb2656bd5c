import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';
import { launchBrowser, openLab, shownTurns, type Lab } from './lab-page.ts';

/** What a person does with the memories themselves. */
describe('sessions in the lab', () => {
  let server: RunningServer;
  let browser: Browser;
  let lab: Lab;
  let page: Page;

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  beforeEach(async () => {
    server = await startServerProcess();
    lab = await openLab(browser, server.url);
    page = lab.page;
  });
  afterEach(async () => {
    expect(lab.faults).toEqual([]);
    await lab.close();
    await server.stop();
  });
  afterAll(async () => {
    await browser.close();
  });

  const names = () => page.locator('.sessions .name').allTextContents();
  const post = async (path: string, body: object): Promise<Record<string, string>> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await response.json()) as Record<string, string>;
  };

  it('renames a session and keeps its other preferences', async () => {
    const { session_id: id = '' } = await post('/api/v2/sessions', {
      user_preferences: { covenant_mode: 'direct', tone: 'dry' },
    });
    await page.goto(`${server.url}/?session=${id}`);
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Kitchen');
    await page.getByLabel('Name', { exact: true }).press('Enter');
    await page.locator('.sessions .name', { hasText: 'Kitchen' }).waitFor();
    // The dialog closes when the server has taken the name.
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const session = (await (await fetch(`${server.url}/api/v2/sessions/${id}`)).json()) as object;
    expect(session).toMatchObject({
      user_preferences: { name: 'Kitchen', covenant_mode: 'direct', tone: 'dry' },
    });
  });

  it('finds a session by its name, and a turn by what was said in it', async () => {
    for (let number = 1; number <= 7; number++) {
      await post('/api/v2/sessions', { user_preferences: { name: `Garden ${String(number)}` } });
    }
    const { session_id: id = '' } = await post('/api/v2/sessions', { user_preferences: { name: 'Kitchen' } });
    const first = await post('/api/v2/conversations', {
      session_id: id,
      directive: 'The saffron is in the tin.',
    });
    await post('/api/v2/conversations', { session_id: id, directive: 'Something else.' });
    await page.reload();
    await page.getByLabel('Find a session by name').fill('kit');
    await expect.poll(names).toEqual(['Kitchen']);
    await page.getByRole('button', { name: /Kitchen/ }).click();
    await page.getByLabel('Search everything said in this session').fill('saffron');
    await page.keyboard.press('Enter');
    await page.getByText('1 turn found').waitFor();
    await page.locator('.entry', { hasText: 'The saffron is in the tin.' }).click();
    await page.locator('.turn.marked', { hasText: 'The saffron is in the tin.' }).waitFor();
    expect(page.url()).toContain(first['conversation_id']);
  });

  it('archives a session: it can be read, and takes no directive', async () => {
    await lab.say('Remember the tin.');
    await lab.ended();
    await page.getByRole('button', { name: 'Archive' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Archive' }).click();
    await page.getByPlaceholder('This session is archived.').waitFor();
    expect(await page.getByLabel('Directive', { exact: true }).isDisabled()).toBe(true);
    expect((await shownTurns(page))[0]?.text).toBe('Remember the tin.');
  });

  it('asks twice before it deletes, says what goes, and can be left with Escape', async () => {
    await lab.say('Remember the tin.');
    await lab.ended();
    const open = () => page.locator('.session-tools').getByRole('button', { name: 'Delete' }).click();
    const dialog = page.getByRole('dialog');
    await open();
    // The figures of the session are read anew when its cycle has ended.
    await expect.poll(() => dialog.textContent()).toMatch(/1 conversation and 5 turns are erased/);
    await dialog.getByRole('button', { name: 'Delete …' }).click();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await names()).toHaveLength(1);
    await open();
    await dialog.getByRole('button', { name: 'Delete …' }).click();
    await dialog.getByRole('button', { name: 'Yes, erase all of it' }).click();
    await page.getByText('None yet.').waitFor();
    expect(await page.locator('.turn').count()).toBe(0);
    expect(
      ((await (await fetch(`${server.url}/api/v2/sessions`)).json()) as { data: object[] }).data,
    ).toEqual([]);
  });

  it('exports a session and takes it back', async () => {
    await lab.say('Remember the tin.');
    await lab.ended();
    const before = (await shownTurns(page)).map(({ text }) => text);
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export' }).click();
    const file = await (await coming).path();
    expect(await readFile(file, 'utf8')).toContain('Remember the tin.');
    await page.locator('.session-tools').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete …' }).click();
    await page.getByRole('button', { name: 'Yes, erase all of it' }).click();
    await page.getByText('None yet.').waitFor();
    const name = 'session.ndjson';
    const mimeType = 'application/x-ndjson';
    await page.getByLabel('Import').setInputFiles({ name, mimeType, buffer: await readFile(file) });
    await page.locator('.turn.answer').waitFor();
    expect((await shownTurns(page)).map(({ text }) => text)).toEqual(before);
  });
});
