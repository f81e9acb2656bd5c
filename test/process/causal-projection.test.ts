import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';

const CHAIN = 10;
const START = Date.UTC(2026, 4, 8);
/** So far apart that the rehearsal's rule sees no cause in it: the test tells all causes itself. */
const APART_MS = 60 * 60_000;

describe('the projection of a running server', () => {
  let dataDir: string;
  let server: RunningServer;
  let path: string;
  const file = () => join(dataDir, 'causal.duckdb');

  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'ccc-causal-process-'));
    await start();
    const { session_id: id } = await call<{ session_id: string }>('POST', '/api/v2/sessions', {});
    path = `/api/v2/sessions/${id}`;
  });
  afterEach(async () => {
    await server.stop('SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function start(): Promise<void> {
    server = await startServerProcess({ dataDir });
  }

  async function call<T>(method: string, at: string, body?: unknown): Promise<T> {
    const response = await fetch(server.url + at, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as T;
    if (!response.ok) throw new Error(`${String(response.status)} ${JSON.stringify(answer)}`);
    return answer;
  }

  /** Stores a chain of causes, in two requests, and returns its events' ids. */
  async function tell(number: number): Promise<string[]> {
    const events = Array.from({ length: CHAIN }, (_, at) => ({
      text: `step ${String(at)} of story ${String(number)}`,
      happened_at: new Date(START + (number * CHAIN + at) * APART_MS).toISOString(),
    }));
    const stored = await call<{ events: { event_id: string }[] }>('POST', `${path}/causal/events`, {
      events,
    });
    const ids = stored.events.map(({ event_id: id }) => id);
    await call('POST', `${path}/causal/links`, {
      links: ids.slice(1).map((id, at) => ({
        cause_id: ids[at],
        effect_id: id,
        relation: at % 2 === 0 ? 'caused' : 'enabled',
        confidence: 0.5 + at / 100,
      })),
    });
    return ids;
  }

  /** What is known. Left out is how far the judge has come, who works on beside this. */
  async function answers(stories: string[][]): Promise<unknown> {
    const ends = stories.map((ids) => ids.at(-1) ?? '');
    const all = {
      why: await Promise.all(ends.slice(0, 5).map((id) => call('GET', `${path}/causal/events/${id}/why`))),
      effects: await call('GET', `${path}/causal/events/${stories[0]?.[0] ?? ''}/effects`),
      graph: await call('GET', `${path}/causal/graph?limit=50`),
      around: await call('GET', `${path}/causal/graph?around=${ends[0] ?? ''}&limit=20`),
      narrative: await call('GET', `${path}/causal?query=${encodeURIComponent('why step 4 of story 3')}`),
      analytics: await call('GET', `${path}/analytics`),
    };
    return JSON.parse(
      JSON.stringify(all, (key, value: unknown) => (key === 'judged' || key === 'jobs' ? undefined : value)),
    );
  }

  async function tellMany(count: number): Promise<string[][]> {
    const stories: string[][] = [];
    for (let at = 0; at < count; at += 1) stories.push(await tell(at));
    return stories;
  }

  const damages: [string, () => void][] = [
    [
      'deleted',
      () => {
        rmSync(file());
      },
    ],
    [
      'cut short',
      () => {
        truncateSync(file(), Math.floor(statSync(file()).size * 0.6));
      },
    ],
    [
      'with bytes flipped in its header',
      () => {
        flip(100);
      },
    ],
    [
      'with bytes flipped among its data',
      () => {
        flip(0.4);
      },
    ],
    [
      'with bytes flipped near its end',
      () => {
        flip(0.9);
      },
    ],
  ];

  /** Turns 64 bytes around, at a place or at a share of the file. */
  function flip(at: number): void {
    const bytes = readFileSync(file());
    const from = at < 1 ? Math.floor(bytes.length * at) : at;
    for (let place = from; place < Math.min(from + 64, bytes.length); place += 1)
      bytes[place] = ~bytes[place]! & 0xff;
    writeFileSync(file(), bytes);
  }

  it.runIf(process.platform === 'linux')(
    'is not even loaded for a record without causes, whoever asks how things are, and for the first cause it is',
    async () => {
      const isLoaded = () =>
        readFileSync(`/proc/${String(server.child.pid)}/maps`, 'latin1').includes('libduckdb');
      const reason = 'Not opened yet: the record has no causes.';
      expect(await call('GET', '/health')).toMatchObject({ causal: { available: true, reason, lag: 0 } });
      expect(await call('GET', '/api/v2/status')).toMatchObject({
        causal_memory: { available: true, reason },
        projection_lag: 0,
      });
      expect(await (await fetch(`${server.url}/metrics`)).text()).toMatch(/^ccc_causal_projection_lag 0$/m);
      expect(isLoaded()).toBe(false);
      await tell(1);
      const causal = { available: true, reason: null, lag: 0 };
      await expect.poll(() => call('GET', '/health'), { timeout: 10_000 }).toMatchObject({ causal });
      expect(isLoaded()).toBe(true);
    },
  );

  it.each(damages)('%s between two starts: the answers are equal', async (_name, damage) => {
    const stories = await tellMany(20);
    const before = await answers(stories);
    await server.stop();
    expect(existsSync(file())).toBe(true);
    damage();
    await start();
    // At once: nobody waits for the projection to be made again before other questions are answered.
    expect(await call('GET', '/health')).toMatchObject({ status: 'ok', stage: 2 });
    expect(await answers(stories)).toEqual(before);
    expect(await call('GET', '/health')).toMatchObject({ causal: { available: true, reason: null, lag: 0 } });
    expect(existsSync(file())).toBe(true);
  });

  it('killed while it writes it: the next start answers what the record holds', async () => {
    const stories = await tellMany(5);
    let acknowledged = 0;
    // Each `why` makes the projection take in what was just stored, so it is being written all the time.
    const writing = Promise.allSettled(
      Array.from({ length: 4 }, async (_, writer) => {
        for (let at = 0; ; at += 1) {
          const ids = await tell(10 + writer * 1000 + at);
          stories.push(ids);
          acknowledged += 1;
          await call('GET', `${path}/causal/events/${ids.at(-1) ?? ''}/why`);
        }
      }),
    );
    await expect.poll(() => acknowledged, { timeout: 30_000 }).toBeGreaterThan(20);
    await server.stop('SIGKILL');
    await writing;
    await start();
    const after = await answers(stories);
    for (const ids of stories) {
      const why = await call<{ chain: { event_ids: string[] } }>(
        'GET',
        `${path}/causal/events/${ids.at(-1) ?? ''}/why`,
      );
      expect(why.chain.event_ids).toEqual(ids);
    }
    // And the same from a projection that was made from nothing.
    await server.stop();
    rmSync(file());
    await start();
    expect(await answers(stories)).toEqual(after);
  });
});
