import { statSync } from 'node:fs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { silentLogger, type Logger } from '../../src/base/logger.ts';
import { createCausalMemory } from '../../src/causal/create-causal-memory.ts';
import { CausalProjection } from '../../src/causal/projection/projection.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { link, newSession, openMemory, tellEvents } from './support.ts';

const LAYERS = 20;
const WIDE = 16;
/** Takes minutes. */
const ENDLESS =
  'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT max(i) FROM n';

/** Layers of events, each of which led to all of the next: more ways than anybody walks in a millisecond. */
async function tangle(): Promise<{
  dal: MemoryDAL;
  sessionId: string;
  projectionFile: string;
}> {
  const { dal, causal, projectionFile } = await openMemory();
  const sessionId = await newSession(dal);
  const events = await tellEvents(
    causal,
    sessionId,
    Array.from({ length: LAYERS * WIDE }, (_, at) => `event ${String(at)}`),
  );
  const layer = (n: number) => events.slice(n * WIDE, (n + 1) * WIDE);
  for (let n = 1; n < LAYERS; n += 1) {
    const links = layer(n - 1).flatMap((cause) => layer(n).map((effect) => link(cause, effect)));
    await causal.addLinks(sessionId, links);
  }
  await causal.graph({ sessionId, aroundEventId: null, limit: 1 });
  await causal.close();
  return { dal, sessionId, projectionFile };
}

function listening(): { logger: Logger; warnings: string[] } {
  const warnings: string[] = [];
  const warn = (_fields: unknown, message?: string) => warnings.push(String(message));
  return { logger: { ...silentLogger, warn } as unknown as Logger, warnings };
}

describe('analytics of a graph that takes too long to follow', () => {
  it('say so, count direct effects only, and leave the projection as it is', async () => {
    const { dal, sessionId, projectionFile } = await tangle();
    const { logger, warnings } = listening();
    const before = statSync(projectionFile);
    const open = (walkLimitMs?: number) => {
      const causal = createCausalMemory({
        store: dal.causal,
        activity: dal.activity,
        projectionFile,
        logger,
        ...(walkLimitMs === undefined ? {} : { walkLimitMs }),
      });
      onTestFinished(() => causal.close());
      return causal;
    };
    const hurried = open(1);
    for (const scope of [sessionId, null]) {
      const { causes } = await hurried.analytics(scope);
      expect(causes.truncated).toBe(true);
      expect(causes.longestChains).toEqual([]);
      expect(causes.rootCauses).toHaveLength(10);
      expect(causes.rootCauses[0]).toMatchObject({ effects: WIDE, directEffects: WIDE });
    }
    // What was cut off is no damage: the file stays, and answers.
    expect(statSync(projectionFile).ino).toBe(before.ino);
    expect((await hurried.graph({ sessionId, aroundEventId: null, limit: 5 })).nodes).toHaveLength(5);
    await hurried.close();

    const { causes } = await open().analytics(sessionId);
    expect(causes.truncated).toBe(false);
    expect(causes.rootCauses[0]).toMatchObject({ effects: (LAYERS - 1) * WIDE, directEffects: WIDE });
    expect(causes.longestChains[0]?.events).toHaveLength(LAYERS);
    expect(warnings).toEqual([]);
  });

  it('nobody waits for it: other questions are answered meanwhile, and a server that stops cuts it off', async () => {
    const { dal, sessionId, projectionFile } = await tangle();
    const projection = new CausalProjection({
      store: dal.causal,
      activity: dal.activity,
      file: projectionFile,
      logger: silentLogger,
    });
    let begun = () => {};
    const beginning = new Promise<void>((resolve) => (begun = resolve));
    const long = projection.askApart(sessionId, (duck) => {
      begun();
      return duck.rows(ENDLESS);
    });
    const ended = vi.fn();
    long.catch(ended);
    await beginning;
    const count = await projection.ask(sessionId, (duck) => duck.rows('SELECT count(*) FROM events'));
    expect(count).toEqual([[LAYERS * WIDE]]);
    expect(ended).not.toHaveBeenCalled();
    await projection.close();
    await expect(long).rejects.toMatchObject({ code: 'storage_failed' });
  });

  it('an interruption that meets somebody else is no damage either: that question is asked again', async () => {
    const { dal, sessionId, projectionFile } = await tangle();
    const { logger, warnings } = listening();
    const projection = new CausalProjection({ store: dal.causal, file: projectionFile, logger });
    onTestFinished(() => projection.close());
    const { ino } = statSync(projectionFile);
    let times = 0;
    const answer = await projection.ask(sessionId, async (duck) => {
      times += 1;
      if (times > 1) return duck.rows('SELECT count(*) FROM events');
      const endless = duck.rows(ENDLESS);
      const timer = setInterval(() => {
        duck.interrupt();
      }, 5);
      return endless.finally(() => {
        clearInterval(timer);
      });
    });
    expect([answer, times]).toEqual([[[LAYERS * WIDE]], 2]);
    expect(statSync(projectionFile).ino).toBe(ino);
    expect(warnings).toEqual([]);
  });
});
