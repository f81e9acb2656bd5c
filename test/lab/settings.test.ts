import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';
import { role, startUpstream, streamed, type Upstream } from '../support/upstream.ts';
import { axeFindings, launchBrowser, openLab, type Lab } from './lab-page.ts';

/** What a person sets, and what of it arrives at the model. */
describe('the settings in the lab', () => {
  let browser: Browser;
  let upstream: Upstream;
  let server: RunningServer;
  let lab: Lab;
  let page: Page;

  beforeAll(async () => {
    [browser, upstream] = await Promise.all([launchBrowser(), startUpstream()]);
    upstream.on('/models', (res) =>
      res.end(JSON.stringify({ object: 'list', data: [{ id: 'listed-model' }] })),
    );
    upstream.on('/chat/completions', streamed(['Straight away.']));
    upstream.on(role('guidance'), streamed(['Be brief.']));
    upstream.on(role('draft'), streamed(['A first draft.']));
    upstream.on(role('verdict'), approval([]));
    server = await startServerProcess({
      env: {
        OPENAI_BASE_URL: upstream.baseUrl,
        OPENAI_API_KEY: 'sk-test',
        OPENAI_MODEL: 'usual-model',
        // The model is asked by what the person does, and by nothing in the background.
        CCC_CAUSAL_MAX_CALLS_PER_MINUTE: '0',
      },
    });
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

  const approval = (criteria: object[]) =>
    streamed([JSON.stringify({ decision: 'approve', issues: [], resolved: [], criteria, lesson: null })]);
  const open = async (options: BrowserContextOptions = {}) => {
    lab = await openLab(browser, server.url, options);
    page = lab.page;
    if ((options.viewport?.width ?? 1440) < 1000)
      await page.getByRole('button', { name: 'Look inside', exact: true }).click();
    await page.getByRole('tab', { name: 'Settings' }).click();
  };
  const field = (name: string) => page.getByLabel(name, { exact: true });
  /** Types into fields as a person would, and leaves each with the Tab key. */
  const type = async (values: Record<string, string>) => {
    for (const [name, value] of Object.entries(values)) {
      await field(name).focus();
      await page.keyboard.press('ControlOrMeta+a');
      await page.keyboard.press('Delete');
      for (const [at, line] of value.split('\n').entries()) {
        if (at > 0) await page.keyboard.press('Enter');
        await page.keyboard.type(line);
      }
      await page.keyboard.press('Tab');
    }
  };
  /** Gives a directive and returns what the model was asked for it. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- bodies that the test reaches into
  const asked = async (directive: string): Promise<any[]> => {
    const before = upstream.calls.length;
    const answers = page.locator(".turn.codey:is([data-kind='answer'], [data-kind='message']):not(.live)");
    const known = await answers.count();
    await lab.say(directive);
    await answers.nth(known).waitFor();
    await page.getByRole('button', { name: 'Send' }).waitFor();
    return upstream.calls
      .slice(before)
      .filter(({ path }) => path === '/chat/completions')
      .map(({ json }) => json as unknown);
  };
  const cycleOf = async () => {
    const session = new URL(page.url()).searchParams.get('session') ?? '';
    const list = (await get(`/api/v2/sessions/${session}/cycles?limit=1`)) as {
      data: { cycle_id: string }[];
    };
    return get(`/api/v2/cycles/${list.data[0]?.cycle_id ?? ''}`);
  };
  const get = async (path: string): Promise<unknown> => (await fetch(server.url + path)).json();
  const SAMPLING = {
    Temperature: '0.65',
    'Top p': '0.9',
    'Longest answer': '300',
    Seed: '41',
    'Stop words, one on each line': 'END\n\\nYou:',
    'Presence penalty': '0.5',
    'Frequency penalty': '-0.25',
  };
  const SAMPLED = {
    temperature: 0.65,
    top_p: 0.9,
    max_tokens: 300,
    seed: 41,
    stop: ['END', '\nYou:'],
    presence_penalty: 0.5,
    frequency_penalty: -0.25,
  };

  it('leave everything to the server while nothing is set', async () => {
    await open();
    const [guidance, draft, verdict] = await asked('Anything.');
    expect([guidance, draft, verdict].map(({ model }) => model as string)).toEqual(
      Array(3).fill('usual-model'),
    );
    for (const name of Object.keys(SAMPLED)) expect(draft).not.toHaveProperty(name);
  });

  it('choose the agents’ models and how Codey writes, with the keyboard alone', async () => {
    await open();
    await page.getByText('Seed, stop words, penalties').focus();
    await page.keyboard.press('Enter');
    await type({
      Model: 'listed-model',
      'Beatrice’s model': 'careful-model',
      'Codey’s model': 'quick-model',
    });
    await type(SAMPLING);
    const [guidance, draft, verdict] = await asked('Name a fruit.');
    expect([guidance.model, draft.model, verdict.model]).toEqual([
      'careful-model',
      'quick-model',
      'careful-model',
    ]);
    expect(draft).toMatchObject(SAMPLED);
    for (const name of Object.keys(SAMPLED)) expect(guidance).not.toHaveProperty(name);
    await page.reload();
    await lab.ended();
    await page.getByRole('tab', { name: 'Settings' }).click();
    expect(await field('Temperature').inputValue()).toBe('0.65');
    await page.getByRole('button', { name: 'Leave everything to the server' }).click();
    const [, again] = await asked('Name another.');
    expect(again.model).toBe('usual-model');
    for (const name of Object.keys(SAMPLED)) expect(again).not.toHaveProperty(name);
  });

  it('limit a cycle, name its criteria, and leave the decision to the person', async () => {
    await open();
    upstream.expect(role('verdict'), approval([{ id: 'c1', met: 'yes', evidence: 'It is.' }]));
    await type({
      'Most revisions': '0',
      'Token budget': '90000',
      'Most seconds': '75.5',
      'Criteria, one on each line': 'Is a fruit',
    });
    await field('Before an answer is delivered').selectOption('I decide on it');
    await lab.say('Name a fruit.');
    await page.getByRole('button', { name: 'Deliver this draft' }).waitFor();
    expect(await cycleOf()).toMatchObject({
      outcome: 'awaiting_decision',
      max_rounds: 0,
      max_total_tokens: 90_000,
      max_seconds: 75.5,
      criteria: [{ id: 'c1', text: 'Is a fruit' }],
    });
    await page.getByRole('button', { name: 'Deliver this draft' }).click();
    await page.locator('.turn.answer', { hasText: 'A first draft.' }).waitFor();
    await field('Before an answer is delivered').selectOption('As the session is set');
    await type({ 'Criteria, one on each line': '' });
    await asked('Name another.');
    expect(await cycleOf()).toMatchObject({ outcome: 'approved', criteria: [] });
  });

  it('hold for an answer without a cycle as well', async () => {
    await open();
    await page.getByRole('button', { name: 'New session' }).click();
    const mode = field('How directives are answered in this session');
    await mode.selectOption('direct');
    await expect.poll(async () => (await openSession()).user_preferences['covenant_mode']).toBe('direct');
    await page.getByText('Seed, stop words, penalties').click();
    await type({ Model: 'listed-model', ...SAMPLING });
    const [plain] = await asked('Name a fruit.');
    expect(plain).toMatchObject({ model: 'listed-model', ...SAMPLED });
    await type({ 'Codey’s model': 'quick-model' });
    await page.getByText('Use what this session remembers').click();
    const [second] = await asked('Name another.');
    expect(second.model).toBe('quick-model');
    expect(second.messages.map((message: { role: string }) => message.role)).not.toContain('system');
  });

  it('keep what the cycles of the session may take with the session, and hold them to it', async () => {
    await open();
    await asked('Name a fruit.');
    await page.getByText(/So far [1-9][\d,]* tokens, [1-9][\d,]* of them today\./).waitFor();
    await type({ 'Tokens of its cycles in a day': '9000' });
    await type({ 'Tokens of all its cycles': '1' });
    await page.getByText('At most 1 are allowed.').waitFor();
    expect((await openSession()).user_preferences).toMatchObject({
      budget: { tokens: 1, tokens_per_day: 9_000 },
    });
    const calls = upstream.calls.length;
    await lab.say('Name another.');
    await page.getByRole('status').getByText('Token budget used up').waitFor();
    expect(upstream.calls).toHaveLength(calls);
    await type({ 'Tokens of all its cycles': '' });
    await expect
      .poll(async () => (await openSession()).user_preferences['budget'])
      .toEqual({ tokens: null, tokens_per_day: 9_000 });
    expect(await asked('Name another.')).toHaveLength(3);
  });
  const openSession = async () =>
    (await get(`/api/v2/sessions/${new URL(page.url()).searchParams.get('session') ?? ''}`)) as {
      user_preferences: Record<string, unknown>;
    };

  it('tell at the field what cannot be, and do not use it', async () => {
    await open();
    const faults = page.locator('.settings .fault');
    await type({ Temperature: '5' });
    expect(await faults.allTextContents()).toEqual(['Not used: it has to be a number from 0 to 2.']);
    expect(await field('Temperature').getAttribute('aria-invalid')).toBe('true');
    expect(await field('Temperature').inputValue()).toBe('5');
    await type({ 'Most revisions': '1.5', 'Most seconds': '-3' });
    expect((await faults.allTextContents()).slice(0, 2)).toEqual([
      'Not used: it has to be a whole number from 0 to 10.',
      'Not used: it has to be a number from 1 to 86,400.',
    ]);
    await type({ 'Criteria, one on each line': 'x'.repeat(51).split('').join('\n') });
    expect(await faults.allTextContents()).toContain('Too many: the server takes at most 50.');
    await type({ 'Criteria, one on each line': '' });
    const [, draft] = await asked('Anything.');
    expect(draft).not.toHaveProperty('temperature');
    await type({ Temperature: '2', 'Most revisions': '2', 'Most seconds': '' });
    expect(await faults.count()).toBe(0);
    expect((await asked('Anything else.'))[1]).toMatchObject({ temperature: 2 });
  });

  it.each([
    ['light', 1440],
    ['dark', 360],
  ] as const)('give axe-core nothing to complain about (%s, %d px), and fit', async (colorScheme, width) => {
    await open({ colorScheme, bypassCSP: true, viewport: { width, height: 900 } });
    await page.getByText('Seed, stop words, penalties').click();
    await type({ Temperature: '5' });
    expect(await axeFindings(page)).toEqual([]);
    const panel = page.locator('.look');
    expect(await panel.evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
    await field('Colours').selectOption('Dark');
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(
      'rgb(20, 22, 26)',
    );
  });
});
