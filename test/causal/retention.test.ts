import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { createRetention } from '../../src/memory/retention/retention.ts';
import { startMeaning, tinyModel } from './meaning-support.ts';
import { link, newSession, NOON } from './support.ts';

const DAY = 86_400_000;

describe('what a session does not keep any longer', () => {
  it('goes from causal memory in whole chains, with vectors and projection; a chain with one young event stays whole', async () => {
    const server = await startMeaning(tinyModel());
    const { dal, causal } = server;
    const sessionId = await newSession(dal);
    const told = (text: string, daysAgo: number) => ({ text, happenedAt: NOON - daysAgo * DAY });
    const [kitten, vet, car, ditch, tow] = await causal.addEvents(sessionId, [
      told('the kitten ate a toy', 200),
      told('the vet came', 150),
      told('the automobile lost a wheel', 200),
      told('it slid into the ditch', 150),
      told('it was towed', 5),
    ]);
    await causal.addLinks(sessionId, [link(kitten, vet), link(car, ditch), link(ditch, tow)]);
    await server.embedded();
    const near = (question: string) => causal.meaning!.toQuestion(sessionId, question, 5);
    expect([(await near('feline')).length, (await near('vehicle')).length]).toEqual([1, 1]);
    const before = await causal.why(sessionId, tow!.eventId);

    const retention = createRetention({
      dal,
      days: 90,
      // Events are as old as what they tell, though they were stored just now.
      clock: { now: () => NOON },
      logger: silentLogger,
      changed: causal.changed,
    });
    onTestFinished(() => retention.stop());
    expect(await retention.pass()).toBe(true);

    await expect(causal.getEvent(sessionId, kitten!.eventId)).rejects.toMatchObject({
      code: 'event_not_found',
    });
    const { nodes, links } = await causal.graph({ sessionId, aroundEventId: null, limit: 50 });
    expect(nodes.map(({ eventNo }) => eventNo)).toEqual([3, 4, 5]);
    expect(links).toHaveLength(2);
    const { chain } = await causal.why(sessionId, tow!.eventId);
    expect(chain).toEqual(before.chain);
    expect(chain.eventIds).toEqual([car, ditch, tow].map((event) => event!.eventId));
    expect(await near('feline')).toEqual([]);
    expect((await near('vehicle')).map(({ eventNo }) => eventNo)).toEqual([3]);
    // Nothing of the removed chain is told again to a projection that begins anew.
    const { vectors } = await dal.causalVectors.changesSince(sessionId, 0, 100);
    expect([...vectors.nos].sort()).toEqual([3, 4, 5]);
    const { text } = await causal.narrative({ sessionId, query: 'Why did the vet come?', maxTokens: 300 });
    expect(text).toBe('');
  });
});
