import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';
import {
  failure,
  hangMidStream,
  role,
  slow,
  startUpstream,
  streamed,
  type Upstream,
} from '../support/upstream.ts';
import { launchBrowser, openLab, type Lab } from './lab-page.ts';

/** What goes wrong is said in words, loses nothing that was typed, and mends by itself where it can. */
describe('the lab in trouble', () => {
  let browser: Browser;
  let upstream: Upstream;
  let server: RunningServer;
  let lab: Lab;
  let dataDir: string;
  const env = () => ({
    OPENAI_BASE_URL: upstream.baseUrl,
    OPENAI_API_KEY: 'sk-test',
    CCC_SHUTDOWN_MS: '300',
  });

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'ccc-lab-'));
    upstream = await startUpstream();
    upstream.on('/models', (res) => res.end(JSON.stringify({ object: 'list', data: [] })));
    upstream.on(role('guidance'), streamed(['Be brief.']));
    upstream.on(role('draft'), streamed(['A draft.']));
    const approval = { decision: 'approve', issues: [], resolved: [], criteria: [], lesson: null };
    upstream.on(role('verdict'), streamed([JSON.stringify(approval)]));
    server = await startServerProcess({ env: env(), dataDir });
    lab = await openLab(browser, server.url);
  });
  afterEach(async () => {
    expect(lab.faults).toEqual([]);
    await lab.close();
    await server.stop();
    await upstream.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  afterAll(async () => {
    await browser.close();
  });

  const directive = () => lab.page.getByLabel('Directive', { exact: true });
  const restart = async () => {
    server = await startServerProcess({ env: { ...env(), PORT: String(server.port) }, dataDir });
  };

  it('says that the server is gone, keeps what was typed, and goes on when it is back', async () => {
    await lab.say('First.');
    await lab.ended();
    await server.stop();
    await lab.say('Second, a long thought.');
    const alert = lab.page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toContain('The server does not answer.');
    expect(await directive().inputValue()).toBe('Second, a long thought.');
    await restart();
    await alert.waitFor({ state: 'detached' });
    expect(await directive().inputValue()).toBe('Second, a long thought.');
    await directive().press('Enter');
    await lab.page.locator('.turn.answer').nth(1).waitFor();
    expect(await directive().inputValue()).toBe('');
  });

  it('sends to the right place what is sent before the page has opened it', async () => {
    await lab.say('First.');
    await lab.ended();
    const before = new URL(lab.page.url()).searchParams;
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    await lab.page.route('**/api/v2/conversations/**', async (route) => {
      await gate;
      await route.continue();
    });
    await lab.page.reload();
    await lab.say('Second.');
    go();
    await lab.page.locator('.turn.answer').nth(1).waitFor();
    const after = new URL(lab.page.url()).searchParams;
    expect([after.get('session'), after.get('conversation')]).toEqual([
      before.get('session'),
      before.get('conversation'),
    ]);
  });

  it('keeps what was typed over a reload', async () => {
    await directive().fill('Half a thou');
    await lab.page.reload();
    expect(await directive().inputValue()).toBe('Half a thou');
  });

  it('finds its way back into a cycle when the server dies in the middle, and resumes it', async () => {
    upstream.expect(role('draft'), hangMidStream(['It was ']));
    await lab.say('Tell a story.');
    await lab.page.locator('.turn.draft.live', { hasText: 'It was' }).waitFor();
    await server.stop('SIGKILL');
    await lab.page.getByText('The page connects again by itself').waitFor();
    await restart();
    const answer = lab.page.locator('.turn.answer', { hasText: 'A draft.' });
    const resume = lab.page.getByRole('button', { name: 'Resume' });
    await answer.or(resume).first().waitFor();
    // A server may take interrupted cycles up by itself; then there is nothing to press.
    if (await resume.isVisible()) await resume.click();
    await answer.waitFor();
    expect(await lab.page.locator('.turn.guidance').count()).toBe(1);
  });

  it('says that a session was deleted in another tab, and keeps what was typed', async () => {
    await lab.say('First.');
    await lab.ended();
    const id = new URL(lab.page.url()).searchParams.get('session') ?? '';
    await fetch(`${server.url}/api/v2/sessions/${id}`, { method: 'DELETE' });
    await lab.say('Second.');
    await lab.page.getByText('There is no such session: it has been deleted').waitFor();
    expect(await directive().inputValue()).toBe('Second.');
    await lab.page.getByRole('button', { name: 'Begin a new one' }).click();
    await directive().press('Enter');
    await lab.ended();
    expect(new URL(lab.page.url()).searchParams.get('session')).not.toBe(id);
  });

  it('says of a link that leads nowhere what may be wrong with it', async () => {
    await lab.page.goto(`${server.url}/?session=sess_never_was`);
    await lab.page
      .getByText('There is no such session: it has been deleted, or the link to it is wrong.')
      .waitFor();
  });

  const tooMany = (seconds: number) => ({
    status: 429,
    headers: { 'retry-after': String(seconds) },
    json: {
      error: { message: 'Rate limit reached.', type: 'rate_limit', code: 'rate_limited', param: null },
    },
  });

  it('says how long to wait when there were too many requests, and sends nothing that the person takes back', async () => {
    await lab.page.route('**/cycles', (route) => route.fulfill(tooMany(7)));
    await lab.say('Anything.');
    const alert = lab.page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(/Rate limit reached\..*7 s/);
    expect(await directive().inputValue()).toBe('Anything.');
    await lab.page.getByText(/Sent again by itself in \d s/).waitFor();
    await lab.page.getByRole('button', { name: 'Do not send it' }).click();
    await lab.page.getByText('Enter sends').waitFor();
  });

  it('sends by itself what had to wait', async () => {
    await lab.page.route('**/cycles', (route) => route.fulfill(tooMany(1)), { times: 1 });
    await lab.say('Anything.');
    await lab.page.locator('.turn.answer').waitFor();
    expect(await directive().inputValue()).toBe('');
    expect(await lab.page.getByRole('alert').count()).toBe(0);
  });

  it('goes on where it was when the stream of a cycle at work is cut', async () => {
    upstream.on(role('draft'), slow(1_500, streamed(['A draft.'])));
    let cut = 0;
    await lab.page.route('**/events?**', async (route) => {
      // What a proxy does that has waited long enough: half of the stream, and then nothing.
      if (++cut > 2) return route.continue();
      return cut === 1
        ? route.fulfill({ contentType: 'text/event-stream', body: ': hello\n\nid: 1\nevent: cyc' })
        : route.abort('connectionreset');
    });
    await lab.say('Tell a story.');
    await lab.page.locator('.turn.answer', { hasText: 'A draft.' }).waitFor();
    expect(await lab.page.locator('.turn.guidance').count()).toBe(1);
    expect(await lab.page.getByRole('button', { name: 'Resume' }).count()).toBe(0);
    expect(cut).toBeGreaterThan(2);
  });

  it('says at once that a session was deleted in another tab of this browser', async () => {
    await lab.say('First.');
    await lab.ended();
    await directive().fill('Half a thou');
    const other = await lab.page.context().newPage();
    await other.goto(lab.page.url());
    await other.locator('.session-tools').getByRole('button', { name: 'Delete' }).click();
    await other.getByRole('button', { name: 'Delete …' }).click();
    await other.getByRole('button', { name: 'Yes, erase all of it' }).click();
    await lab.page.getByText('There is no such session: it has been deleted').waitFor();
    expect(await directive().inputValue()).toBe('Half a thou');
    expect(await lab.page.locator('.turn').count()).toBe(0);
    await other.close();
  });

  it('says so when the session is deleted while its cycle is at work', async () => {
    upstream.expect(role('draft'), hangMidStream(['It was ']));
    await lab.say('Tell a story.');
    await lab.page.locator('.turn.draft.live', { hasText: 'It was' }).waitFor();
    const id = new URL(lab.page.url()).searchParams.get('session') ?? '';
    await fetch(`${server.url}/api/v2/sessions/${id}`, { method: 'DELETE' });
    await lab.page.getByText(/There is no such (session|conversation)/).waitFor();
    expect(await lab.page.getByRole('button', { name: 'Stop' }).count()).toBe(0);
  });

  it('says what the model refused in a direct answer, keeps the directive, and asks again at a word', async () => {
    const { page } = lab;
    await page.getByRole('button', { name: 'New session' }).click();
    await page.getByRole('tab', { name: 'Settings' }).click();
    const mode = page.getByLabel('How directives are answered in this session');
    await mode.selectOption('direct');
    await expect.poll(() => mode.inputValue()).toBe('direct');
    upstream.expect('/chat/completions', failure(401, { message: 'Incorrect API key provided.' }));
    await lab.say('Quick.');
    await page.getByRole('alert').getByText('Incorrect API key provided.').waitFor();
    expect(await page.getByRole('alert').textContent()).toContain('the key in OPENAI_API_KEY');
    expect(await directive().inputValue()).toBe('Quick.');
    upstream.on('/chat/completions', streamed(['Straight away.']));
    await directive().press('Enter');
    await page.locator('.turn.codey:not(.live)', { hasText: 'Straight away.' }).waitFor();
  });

  it('says what is wrong with an answer that is not from CCC', async () => {
    await lab.page.route('**/cycles', (route) =>
      route.fulfill({ status: 502, body: '<html>Bad gateway</html>' }),
    );
    await lab.say('Anything.');
    await lab.page.getByText('The server answered with status 502.').waitFor();
    expect(await directive().inputValue()).toBe('Anything.');
  });

  it('keeps the part of a direct answer that came before the stream was cut', async () => {
    const { page } = lab;
    await page.getByRole('button', { name: 'New session' }).click();
    await page.getByRole('tab', { name: 'Settings' }).click();
    const mode = page.getByLabel('How directives are answered in this session');
    await mode.selectOption('direct');
    await expect.poll(() => mode.inputValue()).toBe('direct');
    upstream.on('/chat/completions', hangMidStream(['Once upon ']));
    await lab.say('Tell a story.');
    await page.locator('.turn.codey.live', { hasText: 'Once upon' }).waitFor();
    await server.stop('SIGKILL');
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').textContent()).toContain('broke off');
    expect(await page.locator('.turn.codey').textContent()).toContain('Once upon');
    await restart();
    await page.getByRole('alert').waitFor({ state: 'detached' });
  });
});
