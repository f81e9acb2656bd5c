/**
 * Takes the pictures of `docs/lab/`: the built server, a scripted model, a headless Chromium. Run after `npm run build`:
 * npx tsx test/lab/take-pictures.ts
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launchBrowser, openLab } from './lab-page.ts';
import { smallPng } from './small-png.ts';
import { moveBack } from './weeks-of-work.ts';
import { ROOT, startServerProcess } from '../support/server-process.ts';
import { role, startUpstream, streamed } from '../support/upstream.ts';

const FOLDER = join(ROOT, 'docs', 'lab');
const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 360, height: 740 };

const FIRST = 'Ana, my sister, is allergic to peanuts and does not eat pork. She visits every second Sunday.';
const SECOND =
  'Write me a function that says whether a recipe is safe for Ana. Keep it short, with a table of cases.';

const DRAFT = `Here is a check against what Ana must not eat.

\`\`\`ts
const AVOID = ['peanut', 'groundnut'];

/** True when no ingredient names something that Ana must not eat. */
export function safeForAna(ingredients: string[]): boolean {
  return !ingredients.some((name) => AVOID.some((word) => name.toLowerCase().includes(word)));
}
\`\`\`

| ingredients | safe |
| --- | --- |
| rice, lentils | yes |
| rice, peanut oil | no |`;
const FINAL = DRAFT.replace(
  "['peanut', 'groundnut']",
  "['peanut', 'groundnut', 'arachis', 'pork', 'bacon', 'ham']",
).concat('\n| lentils, bacon | no |\n\nLabels that say *may contain traces* are not read: ask the cook.');

const verdict = (more: object, script = {}) =>
  streamed(
    [JSON.stringify({ decision: 'approve', issues: [], resolved: [], criteria: [], lesson: null, ...more })],
    script,
  );

/** A model takes time, and a long prompt more tokens: the trace has something to show. */
const taking = (prompt_tokens: number, completion_tokens: number, delayMs: number) => ({
  usage: { prompt_tokens, completion_tokens },
  delayMs,
});
const inPieces = (text: string) => text.split(/(?<=\n)/);

const upstream = await startUpstream();
upstream.on('/models', (res) =>
  res.end(JSON.stringify({ object: 'list', data: [{ id: 'scripted-model' }] })),
);
upstream.on(role('guidance'), streamed(['Thank the person and note both facts about Ana.']));
upstream.on(role('draft'), streamed(['Noted: **no peanuts** and **no pork** for Ana, every second Sunday.']));
upstream.on(role('verdict'), verdict({}));
const server = await startServerProcess({
  // The causes of the pictures are told by hand.
  env: {
    OPENAI_BASE_URL: upstream.baseUrl,
    OPENAI_API_KEY: 'sk-test',
    CCC_SHUTDOWN_MS: '300',
    CCC_CAUSAL_MAX_CALLS_PER_MINUTE: '0',
  },
});
const browser = await launchBrowser();
const lab = await openLab(browser, server.url, { viewport: WIDE, colorScheme: 'light', locale: 'en-GB' });
const { page } = lab;
await mkdir(FOLDER, { recursive: true });

const take = async (name: string) => {
  await page.waitForTimeout(150);
  await writeFile(join(FOLDER, `${name}.png`), smallPng(await page.screenshot()));
};

const top = () =>
  page.locator('.trace-view').evaluate((view) => {
    view.scrollTop = 0;
  });

await lab.say(FIRST);
await lab.ended();
await page.getByRole('button', { name: 'Rename' }).click();
await page.getByLabel('Name', { exact: true }).fill('Kitchen');
await page.keyboard.press('Enter');
await page.getByRole('dialog').waitFor({ state: 'detached' });
await page.getByRole('tab', { name: 'Settings' }).click();
await page.getByLabel('Beatrice’s model').fill('gpt-4o');
await page.getByLabel('Tokens of its cycles in a day').fill('50000');
await page
  .getByLabel('Criteria, one on each line')
  .fill('Covers everything that Ana avoids\nHas a table of cases');
await page.locator('.look').evaluate((panel) => {
  panel.scrollTop = 0;
});
await take('settings-1440');
await page.getByRole('tab', { name: 'Context' }).click();
await page.getByRole('button', { name: 'New conversation' }).click();

upstream
  .expect(
    role('guidance'),
    streamed(['Remember both: peanuts *and* pork. ', 'Show a refused case for each.'], taking(612, 31, 90)),
  )
  .expect(role('draft'), streamed(inPieces(DRAFT), taking(688, 204, 40)))
  .expect(
    role('verdict'),
    verdict(
      {
        decision: 'revise',
        issues: [
          {
            id: 'i1',
            severity: 'major',
            where: "AVOID = ['peanut', 'groundnut']",
            fix: 'Add pork: Ana does not eat it.',
          },
        ],
        criteria: [
          { id: 'c1', met: 'no', evidence: 'Pork is missing.' },
          { id: 'c2', met: 'yes', evidence: 'Two cases are shown.' },
        ],
      },
      taking(894, 88, 120),
    ),
  )
  .expect(role('draft'), streamed(inPieces(FINAL), taking(951, 247, 40)))
  .expect(
    role('verdict'),
    verdict(
      {
        resolved: ['i1'],
        criteria: [
          { id: 'c1', met: 'yes', evidence: 'Peanuts and pork are both covered.' },
          { id: 'c2', met: 'yes', evidence: 'Three cases are shown.' },
        ],
        lesson: 'For Ana, check every dietary rule, not only the allergy.',
      },
      taking(1204, 96, 110),
    ),
  );
await lab.say(SECOND);
await lab.ended();
await page.locator('.turn.answer[data-turn]').waitFor();
await take('answer-1440');
await page.locator('.turn.draft').nth(1).getByRole('button', { name: 'Changes' }).click();
await page
  .locator('.turn.verdict')
  .nth(0)
  .evaluate((turn) => {
    turn.scrollIntoView();
  });
await page.getByRole('tab', { name: 'Trace' }).click();
await page.locator('.step').nth(1).click();
await take('trace-1440');

await page.getByRole('button', { name: 'Replay', exact: true }).click();
await page.getByRole('button', { name: /Draft 2 is written/ }).click();
await top();
await take('replay-1440');
await page.setViewportSize(NARROW);
await top();
await take('replay-360');
await page.setViewportSize(WIDE);
const beside = page.getByLabel('Beside it');
await beside.selectOption({ index: 1 });
await page.getByRole('region', { name: 'The right cycle' }).waitFor();
await top();
await take('compared-1440');
await beside.selectOption('');
await page.getByRole('button', { name: 'Conversation', exact: true }).click();

await page.emulateMedia({ colorScheme: 'dark' });
await page.getByRole('tab', { name: 'Context' }).click();
await take('context-dark-1440');

await page.setViewportSize(NARROW);
await page.locator('.turn.answer').evaluate((turn) => {
  turn.scrollIntoView();
});
await take('answer-dark-360');
await page.emulateMedia({ colorScheme: 'light' });
await page.getByRole('button', { name: 'Look inside', exact: true }).first().click();
await take('context-360');
await page.getByRole('tab', { name: 'Trace' }).click();
await take('trace-360');
await page.getByRole('button', { name: 'Sessions' }).click();
await take('sessions-360');

await page.getByRole('button', { name: 'Sessions' }).click();
await page.setViewportSize(WIDE);
await addCauses(server.url, new URL(page.url()).searchParams.get('session') ?? '');
await page.getByRole('button', { name: 'Causes', exact: true }).click();
await page
  .locator('.graph')
  .getByRole('button', { name: /^Codey checks for peanuts only/ })
  .click();
await page.getByRole('region', { name: 'The chosen event' }).getByRole('heading', { name: /^Why/ }).waitFor();
await take('causes-1440');
await page.emulateMedia({ colorScheme: 'dark' });
await page.setViewportSize(NARROW);
await page.getByRole('button', { name: 'Fit' }).click();
await take('causes-dark-360');

await page.emulateMedia({ colorScheme: 'light' });
await page.setViewportSize(WIDE);
await addFacts(server.url, new URL(page.url()).searchParams.get('session') ?? '');
await page.getByRole('button', { name: 'Agents', exact: true }).click();
await page.getByText('In use').first().waitFor();
await take('agents-1440');
await page.getByRole('button', { name: 'Facts', exact: true }).click();
await page.locator('.fact').first().waitFor();
await take('facts-1440');
await page.emulateMedia({ colorScheme: 'dark' });
await page.setViewportSize(NARROW);
await page.getByRole('button', { name: 'Facts', exact: true }).click();
await page.locator('.fact').first().waitFor();
await take('facts-dark-360');
await page.emulateMedia({ colorScheme: 'light' });
await page.getByRole('button', { name: 'Agents', exact: true }).click();
await page.getByText('In use').first().waitFor();
await take('agents-360');
await page.getByRole('button', { name: 'Replay', exact: true }).click();
await page.getByLabel('Beside it').selectOption({ index: 1 });
await page.getByRole('region', { name: 'The right cycle' }).waitFor();
await top();
await take('compared-360');
await page.getByRole('button', { name: 'Conversation', exact: true }).click();
await page.getByRole('button', { name: 'Look inside', exact: true }).first().click();
await page.getByRole('tab', { name: 'Settings' }).click();
await take('settings-360');

await page.goto(`${server.url}/?session=${await weeksOfWork()}`);
await page.setViewportSize(WIDE);
await page.getByRole('button', { name: 'Insights', exact: true }).click();
await page.getByRole('region', { name: 'Longest chains' }).waitFor();
await take('insights-1440');
await page.locator('.insights').evaluate((view) => {
  view.scrollTop = view.scrollHeight;
});
await take('insights-causes-1440');
await page.emulateMedia({ colorScheme: 'dark' });
await page.setViewportSize(NARROW);
await page.locator('.insights').evaluate((view) => {
  view.scrollTop = 0;
});
await take('insights-dark-360');

await lab.close();
await browser.close();
await server.stop();
await upstream.close();

/** What a judge would have found in this session, so that there is something to draw. */
async function addCauses(url: string, sessionId: string): Promise<void> {
  const post = async <T>(path: string, body: object): Promise<T> => {
    const headers = { 'content-type': 'application/json' };
    const address = `${url}/api/v2/sessions/${sessionId}/causal/${path}`;
    const answer = await fetch(address, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()) as T;
  };
  const said: [actor: string, text: string][] = [
    ['Ana', 'Ana tells that she is allergic to peanuts.'],
    ['Ana', 'Ana stops eating pork.'],
    ['Wykeve', 'Wykeve asks for a function that checks recipes.'],
    ['Codey', 'Codey checks for peanuts only.'],
    ['Beatrice', 'Beatrice sends the draft back: pork is missing.'],
    ['Codey', 'Codey adds pork, bacon and ham to the list.'],
    ['Wykeve', 'A dinner with bacon is called off.'],
    ['Beatrice', 'The lesson is kept: check every dietary rule.'],
  ];
  const { events } = await post<{ events: { event_id: string }[] }>('events', {
    events: said.map(([actor, text], at) => ({
      actor,
      text,
      happened_at: new Date(Date.UTC(2026, 10, 2 + 3 * at, 9)).toISOString(),
    })),
  });
  const link = (cause: number, effect: number, relation: string, confidence: number, explanation = '') => ({
    cause_id: events[cause]?.event_id,
    effect_id: events[effect]?.event_id,
    relation,
    confidence,
    explanation,
  });
  await post('links', {
    links: [
      link(0, 2, 'caused', 0.8, 'Wykeve wants dinners that are safe for her.'),
      link(1, 4, 'enabled', 0.7, 'Without that rule nothing would be missing.'),
      link(2, 3, 'caused', 0.95, 'It is the first draft of that function.'),
      link(3, 4, 'caused', 0.9, 'The list holds only peanuts.'),
      link(4, 5, 'caused', 0.98, 'The verdict asks for it.'),
      link(5, 3, 'superseded', 0.9),
      link(5, 6, 'prevented', 0.6),
      link(4, 7, 'caused', 0.85),
    ],
  });
}

/** A session in which three weeks were worked. Returns its id. */
async function weeksOfWork(): Promise<string> {
  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const answer = await fetch(server.url + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()) as T;
  };
  const { session_id: id } = await call<{ session_id: string }>('POST', '/api/v2/sessions', {
    user_preferences: { name: 'Menus for guests' },
  });
  const faults = [
    { id: 'nuts', severity: 'major', where: 'the second course', fix: 'Leave the nuts out.' },
    { id: 'pork', severity: 'major', where: 'the starter', fix: 'Take turkey instead of ham.' },
    { id: 'time', severity: 'major', where: 'the end', fix: 'Say when the oven has to be on.' },
  ];
  const most = faults.length - 1;
  // How many days ago each answer was written, and how often it was sent back; at the third time it is not approved.
  const work: [daysAgo: number, sentBack: number][] = [
    [20, 2],
    [20, 1],
    [19, 3],
    [18, 1],
    [18, 2],
    [15, 1],
    [14, 0],
    [13, 1],
    [13, 3],
    [12, 0],
    [9, 1],
    [8, 0],
    [8, 0],
    [7, 1],
    [4, 0],
    [3, 0],
    [3, 1],
    [1, 0],
    [0, 0],
  ];
  for (const [at, [, sentBack]] of work.entries()) {
    const size = 400 + ((at * 137) % 300);
    upstream.expect(role('guidance'), streamed(['Mind who comes to dinner.'], taking(size, 40, 15)));
    for (let round = 0; round <= Math.min(sentBack, most); round += 1) {
      const settled = { resolved: faults.slice(0, round).map(({ id: fault }) => fault) };
      const decided =
        round < sentBack ? { ...settled, decision: 'revise', issues: [faults[round]] } : settled;
      upstream
        .expect(
          role('draft'),
          streamed([`A menu, version ${String(round + 1)}.`], taking(size + 90, 240, 25)),
        )
        .expect(role('verdict'), verdict(decided, taking(size + 300 + round * 80, 70, 20)));
    }
    const { cycle_id: cycleId } = await call<{ cycle_id: string }>('POST', `/api/v2/sessions/${id}/cycles`, {
      directive: `Plan the dinner number ${String(at + 1)}.`,
      max_rounds: most,
    });
    await fetch(`${server.url}/api/v2/cycles/${cycleId}/events`).then((events) => events.text());
  }
  upstream.assertComplete();
  await moveBack(server.url, id, (conversation) => work[conversation]?.[0] ?? 0);
  await addCauses(server.url, id);
  return id;
}

/** What the person and a reader would have noted. */
async function addFacts(url: string, sessionId: string): Promise<void> {
  const post = async (path: string, body: object) => {
    const answer = await fetch(`${url}/api/v2/sessions/${sessionId}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(await answer.text());
  };
  await post('facts', { subject: 'Ana', attribute: 'allergy', value: 'peanuts', pinned: true });
  await post('facts', { subject: 'Ana', attribute: 'does not eat', value: 'pork', exclusive: false });
  await post('facts', { subject: 'Ana', attribute: 'visits', value: 'every second Sunday' });
  await post('agents/beatrice/lessons', {
    text: 'Ask for a refused case beside each accepted one.',
    trigger: 'checks and filters',
    pinned: true,
  });
}
