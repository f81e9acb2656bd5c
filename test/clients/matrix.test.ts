import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALLED_OFF } from './cases-of-failure.ts';
import { CASES } from './cases.ts';
import { CLIENTS } from './clients.ts';
import { PATHS } from './paths.ts';
import { startClientServer, type ClientServer } from './server.ts';

/**
 * Every client, on every path, in every case. What a client or a path does not do says so itself (`lacks`), and is no
 * test. `docs/clients.md` is what came of it.
 */
let server: ClientServer;
beforeAll(async () => {
  server = await startClientServer();
});
afterAll(() => server.stop());

describe.each(CLIENTS)('$name', (client) => {
  describe.each(PATHS)('$name', (path) => {
    for (const { how, connect } of path.ways) {
      const probe = client.connect({ baseURL: 'http://127.0.0.1:9/v1', apiKey: 'none' });
      for (const one of CASES) {
        if (one.lacks?.(probe, path.name) !== undefined) continue;
        it(`${how}: ${one.name}`, async () => {
          const calls = client.connect(await connect(server));
          await one.run({ calls, path: path.name, begin: (reply) => server.begin(reply) });
        });
      }
    }
  });
});

it('nothing goes on being spent after a request was called off', () => {
  expect(CALLED_OFF.length).toBeGreaterThan(0);
  for (const { run, calls } of CALLED_OFF) expect(run.calls).toHaveLength(calls);
});
