import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryService } from '../../src/memory/create-memory-service.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { role, startUpstream, streamed, type UpstreamCall } from '../support/upstream.ts';

/** Guidance, draft, verdict, draft, verdict. */
const CALLS = 5;
/** One for each row that opens a step, and the last one. */
const WRITES = CALLS + 1;

/** Processes at the same time. */
const AT_ONCE = 4;

const projectRoot = fileURLToPath(new URL('../..', import.meta.url));
const verdict = (fields: object, met: string) =>
  JSON.stringify({
    decision: 'approve',
    issues: [],
    resolved: [],
    criteria: [{ id: 'c1', met, evidence: 'the draft' }],
    lesson: null,
    ...fields,
  });
const REVISE = verdict(
  {
    decision: 'revise',
    issues: [{ id: 'short', severity: 'blocker', where: 'the whole', fix: 'Name a second river.' }],
  },
  'no',
);
const APPROVE = verdict({ resolved: ['short'] }, 'yes');

/** The process as plain JavaScript, so that many starts take seconds: one built file, and the store's thread. */
async function buildProgram(): Promise<string> {
  const cache = join(projectRoot, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'ccc-cycle-crash-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  await build({
    absWorkingDir: projectRoot,
    entryPoints: ['test/covenant/crash/worker-cycle.ts', 'src/store/sqlite/worker.ts'],
    outdir: folder,
    entryNames: '[name]',
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'error',
  });
  return folder;
}

/** Answers by what is asked, so that a repeated call gets the same answer. */
async function startModel() {
  const upstream = await startUpstream();
  const says = (call: UpstreamCall, text: string) => call.body.includes(text);
  upstream
    .on(role('guidance'), streamed(['Two, ', 'no more.']))
    .on(role('draft'), (res, call) =>
      streamed(says(call, 'Name a second river.') ? ['The Rhine ', 'and the Rhône.'] : ['The Rhine.'])(
        res,
        call,
      ),
    )
    .on(role('verdict'), (res, call) =>
      streamed([says(call, 'The Rhine and the Rhône.') ? APPROVE : REVISE])(res, call),
    );
  return upstream;
}

describe('a cycle whose process is killed', () => {
  let program = '';
  beforeAll(async () => {
    program = await buildProgram();
  });
  afterAll(() => {
    rmSync(program, { recursive: true, force: true });
  });

  /** Runs the program until it ends, or kills it when the upstream has got so many calls. */
  async function run(
    upstream: Awaited<ReturnType<typeof startModel>>,
    args: string[],
    killInCall: number | null = null,
  ): Promise<NodeJS.Signals | null> {
    const child = spawn(process.execPath, [join(program, 'worker-cycle.js'), ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let complaint = '';
    child.stderr.on('data', (part: Buffer) => (complaint += part.toString()));
    if (killInCall !== null) void upstream.call(killInCall).then(() => child.kill('SIGKILL'));
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        if (code !== 0 && signal !== 'SIGKILL') reject(new Error(`code ${String(code)}: ${complaint}`));
        else resolve(signal);
      });
    });
  }

  /** What is left when it was killed at that moment and then asked to go on. */
  async function story(moment: { when: string } | { inCall: number } | null) {
    const folder = mkdtempSync(join(tmpdir(), 'ccc-cycle-crash-'));
    const file = join(folder, 'ccc.db');
    const upstream = await startModel();
    try {
      const before = await openSqliteStore({ file, threads: false });
      const { session } = await createMemoryService({ dal: before }).createSession({});
      await before.close();
      const { sessionId } = session;
      const inCall = moment && 'inCall' in moment ? moment.inCall : null;
      // A call in which the process dies is never answered.
      if (inCall !== null)
        upstream.on(
          () => upstream.calls.length === inCall - 1,
          () => undefined,
        );
      const when = moment && 'when' in moment ? moment.when : 'never';
      const killed = await run(upstream, [file, upstream.baseUrl, when, sessionId], inCall);
      expect(killed).toBe(moment === null ? null : 'SIGKILL');
      if (moment) expect(await run(upstream, [file, upstream.baseUrl, 'never', sessionId])).toBeNull();

      const dal = await openSqliteStore({ file, threads: false });
      const memory = createMemoryService({ dal });
      const [cycle] = (await dal.cycles.list({ sessionId, limit: 10, cursor: null })).items;
      if (!cycle) throw new Error('no cycle');
      const { conversationId, cycleId, outcome } = cycle;
      const turns = await memory.listTurns({ conversationId, fromNumber: 1, limit: 50 });
      const steps = await dal.cycles.steps(sessionId, cycleId);
      const events = await dal.cycles.events({ sessionId, cycleId, afterSeq: 0, limit: 100 });
      const problems = await dal.maintenance.check();
      const { spent, reserved } = (await dal.budgets.standing(sessionId, Date.now())).session;
      await dal.close();
      return {
        outcome,
        problems,
        turns: turns.map(({ turnNumber, agent, kind, content }) => [turnNumber, agent, kind, content]),
        events: events.map(({ type }) => type).filter((type) => type !== 'step_started'),
        done: steps.filter(({ status }) => status === 'done').map(({ kind, round }) => [kind, round]),
        notDone: steps.filter(({ status }) => status !== 'done').map(({ status }) => status),
        attempts: Math.max(...steps.map(({ attempt }) => attempt)),
        calls: upstream.calls.length,
        spent: spent.tokens,
        rounds: spent.rounds,
        reserved,
      };
    } finally {
      await upstream.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }

  const moments: ({ when: string } | { inCall: number })[] = [
    ...Array.from({ length: WRITES }, (_, at) => ({ when: `before:${String(at + 1)}` })),
    ...Array.from({ length: WRITES }, (_, at) => ({ when: `after:${String(at + 1)}` })),
    ...Array.from({ length: CALLS }, (_, at) => ({ inCall: at + 1 })),
  ];

  it('ends after its resumption as it would have ended, with at most one call repeated and nothing stored twice', async () => {
    const { calls, spent, ...whole } = await story(null);
    expect(whole).toMatchObject({ outcome: 'approved', problems: [], notDone: [], attempts: 1 });
    expect([calls, whole.turns.length]).toEqual([CALLS, 7]);
    expect(whole).toMatchObject({ rounds: 2, reserved: { tokens: 0, ms: 0, rounds: 0 } });
    expect(whole.turns.at(-1)).toEqual([7, 'codey', 'answer', 'The Rhine and the Rhône.']);
    const { notDone: _none, attempts: _one, ...expected } = whole;
    const queue = [...moments];
    const worker = async () => {
      for (let moment = queue.shift(); moment; moment = queue.shift()) {
        const { calls: made, spent: counted, notDone, attempts, ...resumed } = await story(moment);
        expect(resumed, JSON.stringify(moment)).toEqual(expected);
        expect(made, JSON.stringify(moment)).toBeLessThanOrEqual(CALLS + 1);
        expect(notDone.length, JSON.stringify(moment)).toBeLessThanOrEqual(1);
        expect(attempts, JSON.stringify(moment)).toBe(notDone.length + 1);
        // A call that was cut off has cost something: it counts as it was estimated, once, and nothing stays reserved.
        if (notDone.length === 0) expect(counted, JSON.stringify(moment)).toBe(spent);
        else expect(counted, JSON.stringify(moment)).toBeGreaterThan(spent);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }, 120_000);
});
