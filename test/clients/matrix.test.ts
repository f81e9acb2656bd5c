import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scan, UPSTREAMS, type Profile } from './canary.ts';
import { CALLED_OFF } from './cases-of-failure.ts';
import { CASES } from './cases.ts';
import type { Client } from './client.ts';
import { CLIENTS } from './clients.ts';
import { DOCUMENT, documentOf, type Results } from './document.ts';
import { PATHS, type PathName } from './paths.ts';
import { answers, RIVERS } from './script.ts';
import { startClientServer, type ClientServer } from './server.ts';

/**
 * Every client, on every path, in every case. What a client or a path does not do says so itself (`lacks`), and is no
 * test. `docs/clients.md` is what came of it: `npm run clients-docs` writes it anew.
 */
let server: ClientServer;
beforeAll(async () => {
  server = await startClientServer();
});
afterAll(() => server.stop());

/** Client, path and case of all that have passed. */
const passed = new Set<string>();
const keyOf = (...names: string[]) => names.join(' | ');
const lacksOf = new Map<string, string>();
const canary: Results['canary'] = [];

describe.each(CLIENTS.map((client, number) => ({ ...client, client, number })))(
  '$name',
  ({ client, number }) => {
    const unused = client.connect({ baseURL: 'http://127.0.0.1:9/v1', apiKey: 'none' });
    describe.each(PATHS)('$name', (path) => {
      for (const [at, one] of CASES.entries()) {
        const reason = one.lacks?.(unused, path.name);
        if (reason !== undefined) {
          lacksOf.set(keyOf(client.name, path.name, one.name), reason);
          continue;
        }
        // In turn: each client and each case meets both ways of naming the session.
        const { how, connect } = path.ways[(number + at) % path.ways.length]!;
        it(`${one.name}, ${how}`, async () => {
          const calls = client.connect(await connect(server));
          await one.run({ calls, path: path.name, begin: (reply) => server.begin(reply) });
          passed.add(keyOf(client.name, path.name, one.name));
        });
      }
    });
  },
);

describe('what a client is said not to do', () => {
  const start = async (client: Client, path: PathName) => {
    const [way] = PATHS.find(({ name }) => name === path)!.ways;
    return client.connect(await way!.connect(server));
  };

  it.each(CLIENTS.filter(({ name }) => lacksOf.has(keyOf(name, '/v1', 'reasoning'))))(
    '$name shows no thoughts',
    async (client) => {
      const calls = await start(client, '/v1');
      for (const ask of [calls.create, calls.stream]) {
        const { tag } = server.begin(answers({ content: RIVERS, reasoning: 'Large ones.' }));
        const { text, reasoning } = await ask({ prompt: tag });
        expect([text, reasoning ?? '']).toEqual([RIVERS, '']);
      }
    },
  );

  it.each(CLIENTS.filter(({ name }) => lacksOf.has(keyOf(name, '/v2 cycle', 'abort: mid-stream'))))(
    '$name hands over nothing before the answer is approved',
    async (client) => {
      const calls = await start(client, '/v2 cycle');
      const run = server.begin(answers({ content: RIVERS }));
      const callsAtPieces: number[] = [];
      await calls.stream({ prompt: run.tag, onPiece: () => callsAtPieces.push(run.calls.length) });
      expect(callsAtPieces[0]).toBe(3);
    },
  );
});

it('nothing goes on being spent after a request was called off', () => {
  expect(CALLED_OFF.length).toBeGreaterThan(0);
  for (const { run, calls } of CALLED_OFF) expect(run.calls).toHaveLength(calls);
});

describe.each(UPSTREAMS)('compatcanary, with $name behind CCC', ({ name, reply }) => {
  describe.each(PATHS)('$name', (path) => {
    const profiles: Profile[] = path.name === '/v1' ? ['modern', 'chat'] : ['chat'];
    it.each(profiles)('finds what it finds at the upstream itself (%s)', async (profile) => {
      server.begin(reply);
      const itself = await scan({ baseURL: server.upstream.baseUrl, apiKey: 'sk' }, profile);
      const through = [];
      for (const { connect } of path.ways) through.push(await scan(await connect(server), profile));
      for (const found of through) expect(found).toEqual(itself);
      const { score } = through[0]!;
      canary.push({ upstream: name, path: path.name, profile, itself: itself.score, through: score });
    });
  });
});

it('docs/clients.md says what ran', async () => {
  const document = await documentOf({
    clients: CLIENTS,
    cases: CASES,
    paths: PATHS,
    outcome: (client, path, one) => {
      const lacks = lacksOf.get(keyOf(client.name, path.name, one.name));
      if (lacks !== undefined) return { lacks };
      return passed.has(keyOf(client.name, path.name, one.name)) ? 'passed' : 'failed';
    },
    canary,
  });
  await expect(document).toMatchFileSnapshot(DOCUMENT);
});
