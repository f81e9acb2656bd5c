import { afterEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/base/logger.ts';
import { startUpstream } from '../support/upstream.ts';
import { openBench, type Bench } from './support.ts';

describe('a cycle whose upstream is not there', () => {
  let bench: Bench | undefined;
  afterEach(() => bench?.close());

  it('tells its client and the log where nothing answers, and why', async () => {
    const upstream = await startUpstream();
    await upstream.close();
    const lines: string[] = [];
    bench = await openBench(upstream, {
      logger: createLogger('info', { write: (line) => lines.push(line) }),
    });
    const { cycleId, done } = await bench.cycles.start(bench.input());
    const { outcome, error, reason } = await done;
    const { origin, host } = new URL(upstream.baseUrl);
    expect({ outcome, error }).toMatchObject({
      outcome: 'upstream_error',
      error: {
        status: 502,
        error: { message: expect.stringContaining(`${origin} (ECONNREFUSED)`) as string },
      },
    });
    expect(reason).toBe(
      `The upstream could not be reached: nothing answers at ${origin} (ECONNREFUSED). ` +
        'Is it running, and is OPENAI_BASE_URL right? There is no draft.',
    );
    const logged = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(logged).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        msg: 'a call of a cycle failed',
        cycle_id: cycleId,
        call: 'guide',
        upstream_status: 502,
        upstream_code: 'upstream_unreachable',
      }),
    );
    expect(lines.join('')).toContain(`connect ECONNREFUSED ${host}`);
    expect(lines.join('')).not.toContain('Name two rivers');
  });
});
