import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';
import { failure, hangMidStream, role, startUpstream, streamed, type Upstream } from '../support/upstream.ts';
import { launchBrowser, openLab, shownTurns, type Lab } from './lab-page.ts';

const verdict = (more: object = {}) =>
  streamed([
    JSON.stringify({ decision: 'approve', issues: [], resolved: [], criteria: [], lesson: null, ...more }),
  ]);

/** The page before a model whose every word is scripted. */
describe('the lab while the agents work', () => {
  let browser: Browser;
  let upstream: Upstream;
  let server: RunningServer;
  let lab: Lab;

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  beforeEach(async () => {
    upstream = await startUpstream();
    upstream.on('/models', (res) => res.end(JSON.stringify({ object: 'list', data: [] })));
    upstream.on(role('guidance'), streamed(['Be ', 'brief.']));
    upstream.on(role('draft'), streamed(['A first ', 'draft.']));
    upstream.on(role('verdict'), verdict());
    server = await startServerProcess({
      env: { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'sk-test', CCC_SHUTDOWN_MS: '300' },
    });
    lab = await openLab(browser, server.url);
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

  it('shows text as it is written, before it is whole', async () => {
    upstream.on(role('guidance'), hangMidStream(['Begin with ', 'the end.']));
    await lab.say('Tell a story.');
    const guidance = lab.page.locator('.turn.guidance.live', { hasText: 'Begin with the end.' });
    await guidance.waitFor();
    expect(await lab.page.getByRole('status').textContent()).toContain('Beatrice');
    await lab.page.getByText('0 drafts of at most').waitFor();
    expect(await lab.page.getByRole('region', { name: 'Provider' }).count()).toBe(0);
  });

  it('keeps markup that a model writes as text: nothing runs and nothing is fetched', async () => {
    const attack = [
      '<img src=x onerror="document.title=\'taken\'"> <script>document.title="taken"</script>',
      '[click](javascript:document.title="taken") ![pixel](http://127.0.0.1:9/pixel.png)',
      '```html\n<img src=x onerror="document.title=\'taken\'">\n```',
      '<a href="data:text/html,x" style="position:fixed;inset:0">cover</a> <svg/onload=alert(1)>',
    ].join('\n\n');
    upstream.on(role('draft'), streamed([attack]));
    await lab.say(attack);
    await lab.ended();
    const { page } = lab;
    const answer = page.locator('.turn.answer .body');
    expect(await answer.textContent()).toContain('<img src=x onerror=');
    expect(await answer.textContent()).toContain('<svg/onload=alert(1)>');
    expect(await page.title()).toBe('Resonant Loop Lab');
    expect(
      await page.locator('.turn :is(img, script, svg, iframe, style, form, [style], [onerror])').count(),
    ).toBe(0);
    const targets = await page
      .locator('.turn .body a')
      .evaluateAll((links) => links.map((link) => link.getAttribute('href')));
    expect(targets.filter((href) => href !== null && !href.startsWith('http'))).toEqual([]);
    expect(
      await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name)),
    ).not.toContain('http://127.0.0.1:9/pixel.png');
  });

  it('renders Markdown: lists, tables that do not break the page, code in colour with a copy button', async () => {
    const table = `| ${'wide column | '.repeat(30)}\n|${'---|'.repeat(30)}\n| ${'cell | '.repeat(30)}`;
    upstream.on(
      role('draft'),
      streamed([`- one\n- **two**\n\n${table}\n\n`, '```ts\nconst answer: number = 42;\n```']),
    );
    await lab.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await lab.say('Show me code.');
    await lab.ended();
    const answer = lab.page.locator('.turn.answer');
    expect(await answer.locator('li').allTextContents()).toEqual(['one', 'two']);
    expect(await answer.locator('.hljs-keyword').textContent()).toBe('const');
    expect(await answer.locator('.code-head span').textContent()).toBe('ts');
    expect(await lab.page.evaluate(() => document.documentElement.scrollWidth)).toBe(1440);
    await answer.getByRole('button', { name: 'Copy the code' }).click();
    await answer.getByText('Copied').waitFor();
    expect(await lab.page.evaluate(() => navigator.clipboard.readText())).toBe('const answer: number = 42;');
  });

  it('shows why a draft was sent back, how each criterion stands, and what the revision changed', async () => {
    const issue = { id: 'i1', severity: 'major', where: 'first', fix: 'Say final.' };
    upstream
      .expect(role('draft'), streamed(['The first draft.']))
      .expect(
        role('verdict'),
        verdict({
          decision: 'revise',
          issues: [issue],
          criteria: [{ id: 'c1', met: 'no', evidence: 'It says first.' }],
        }),
      )
      .expect(role('draft'), streamed(['The final draft.']))
      .expect(
        role('verdict'),
        verdict({ resolved: ['i1'], criteria: [{ id: 'c1', met: 'yes', evidence: 'It says final.' }] }),
      );
    const { page } = lab;
    await page.getByRole('tab', { name: 'Settings' }).click();
    await page.getByLabel('Criteria, one on each line').fill('It is final');
    await lab.say('Write the draft.');
    await lab.ended();
    const [sentBack, approved] = [page.locator('.turn.verdict').nth(0), page.locator('.turn.verdict').nth(1)];
    expect(await sentBack.textContent()).toMatch(
      /To be revised.*major.*first.*Say final\..*not met.*It is final/,
    );
    expect(await approved.textContent()).toMatch(/Approved.*1 settled.*met.*It is final.*It says final\./);
    await page.locator('.turn.draft').nth(1).getByRole('button', { name: 'Changes' }).click();
    expect(await page.locator('.turn.draft del').allTextContents()).toEqual(['first']);
    expect(await page.locator('.turn.draft ins').allTextContents()).toEqual(['final']);
    expect(await page.getByRole('status').textContent()).toContain('draft of round 2');
    await page.getByRole('tab', { name: 'Trace' }).click();
    await page.locator('.step').nth(4).waitFor();
    expect(await page.locator('.step').allTextContents()).toHaveLength(5);
    await page.reload();
    await lab.ended();
    expect(await page.locator('.turn.verdict').nth(0).textContent()).toMatch(/To be revised.*Say final\./);
    upstream.assertComplete();
  });

  it('looks into an earlier cycle and back', async () => {
    const { page } = lab;
    await lab.say('First question.');
    await lab.ended();
    await lab.say('Second question.');
    await page.locator('.turn.answer').nth(1).waitFor();
    await lab.ended();
    await page.getByRole('tab', { name: 'Trace' }).click();
    await page.locator('.turn.answer').nth(0).getByRole('button', { name: 'Look inside' }).click();
    await page.getByText('Of an earlier directive: “First question.”').waitFor();
    await page.getByText('Raw').waitFor({ state: 'detached' });
    await page.locator('.step', { hasText: 'Draft' }).click();
    await page.getByText('Raw').click();
    expect(await page.locator('.raw').textContent()).toContain('"kind": "draft"');
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download this trace' }).click();
    const trace = JSON.parse(await readFile(await (await coming).path(), 'utf8')) as { directive: string };
    expect(trace.directive).toBe('First question.');
    await page.getByRole('button', { name: 'Show the last' }).click();
    await page.getByText('Of an earlier directive').waitFor({ state: 'detached' });
  });

  it('keeps the end in sight only while the reader is there', async () => {
    const { page } = lab;
    upstream.on(role('draft'), streamed(Array.from({ length: 60 }, (_, at) => `Line ${String(at)}.\n\n`)));
    await lab.say('A long one.');
    await lab.ended();
    const place = () =>
      page.locator('.thread').evaluate((box) => box.scrollHeight - box.clientHeight - box.scrollTop);
    await expect.poll(place).toBeLessThan(2);
    upstream.expect(role('draft'), hangMidStream(['Still going.']));
    await lab.say('Another one.');
    await page.locator('.turn.draft.live', { hasText: 'Still going.' }).waitFor();
    await expect.poll(place).toBeLessThan(2);
    await page.locator('.thread').evaluate((box) => {
      box.scrollTop = 0;
    });
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Ask again' }).waitFor();
    expect(await page.locator('.thread').evaluate((box) => box.scrollTop)).toBe(0);
  });

  it('stops at a word, says so, and asks again at another', async () => {
    upstream.expect(role('draft'), hangMidStream(['It was a dark']));
    await lab.say('Tell a story.');
    await lab.page.locator('.turn.draft.live', { hasText: 'It was a dark' }).waitFor();
    await lab.page.getByRole('button', { name: 'Stop' }).click();
    await lab.ended();
    expect(await lab.page.getByRole('status').textContent()).toContain('Stopped by you');
    await (
      await upstream.call(3)
    ).aborted;
    await lab.page.getByRole('button', { name: 'Ask again' }).click();
    await lab.page.locator('.turn.answer', { hasText: 'A first draft.' }).waitFor();
  });

  it('takes up the cycle that is at work when the page is opened again', async () => {
    upstream.expect(role('draft'), hangMidStream(['Half ', 'a line']));
    await lab.say('Take your time.');
    await lab.page.locator('.turn.draft.live', { hasText: 'Half' }).waitFor();
    await lab.page.reload();
    await lab.page.locator('.turn.draft.live', { hasText: 'Half' }).waitFor();
    expect((await shownTurns(lab.page)).map(({ kind }) => kind)).toEqual(['directive', 'guidance', 'draft']);
    await lab.page.getByRole('button', { name: 'Stop' }).click();
    await lab.ended();
  });

  it('lets the person decide when Beatrice asks', async () => {
    upstream.expect(role('verdict'), verdict({ decision: 'ask_person' }));
    await lab.say('Choose a colour.');
    await lab.ended();
    await lab.page.getByRole('button', { name: 'Deliver this draft' }).click();
    await lab.page.getByRole('status').getByText('Approved').waitFor();
    await lab.page.locator('.turn.answer', { hasText: 'A first draft.' }).waitFor();
  });

  it('says what an upstream refused, in words', async () => {
    upstream.on(role('guidance'), failure(401, { message: 'Incorrect API key provided.' }));
    await lab.say('Anything.');
    await lab.ended();
    expect(await lab.page.getByRole('status').textContent()).toContain('Incorrect API key provided.');
    expect(await lab.page.textContent('body')).not.toContain('[object Object]');
    await lab.page.getByRole('button', { name: 'Ask again' }).waitFor();
  });

  it('answers directly when the session is set so', async () => {
    const { page } = lab;
    upstream.on('/chat/completions', streamed(['Straight ', 'away.']));
    await page.getByRole('button', { name: 'New session' }).click();
    await page.getByRole('tab', { name: 'Settings' }).click();
    await page.getByLabel('How directives are answered in this session').selectOption('direct');
    await page.getByRole('status').waitFor({ state: 'attached' });
    await expect
      .poll(() => page.getByLabel('How directives are answered in this session').inputValue())
      .toBe('direct');
    await lab.say('Quick, please.');
    await page.locator('.turn.codey:not(.live)', { hasText: 'Straight away.' }).waitFor();
    expect((await shownTurns(page)).map(({ who }) => who)).toEqual(['Wykeve', 'Codey']);
    await page.reload();
    await page.locator('.turn.codey', { hasText: 'Straight away.' }).waitFor();
  });
});
