import { describe, expect, it } from 'vitest';
import { findCandidates, MOST_CANDIDATES } from '../../src/causal/judging/candidates.ts';
import { link, newSession, NOON, openMemory } from './support.ts';

const told = (actor: string, text: string, minute: number) => ({
  actor,
  text,
  happenedAt: NOON + minute * 60_000,
});

describe('the candidates for a cause', () => {
  it('hold what the same person did and nothing came of, however many things others did since', async () => {
    const { dal, causal } = await openMemory();
    const sessionId = await newSession(dal);
    const [salt] = await causal.addEvents(sessionId, [told('Ana', 'left the bag of salt open', 0)]);
    await causal.addEvents(
      sessionId,
      Array.from({ length: 30 }, (_, at) => told('Ben', `walked the dog for the ${at}th time`, at + 1)),
    );
    const [clump] = await causal.addEvents(sessionId, [told('Ana', 'everything had gone hard as stone', 40)]);
    const candidates = await findCandidates(dal.causal, clump!);
    expect(candidates.length).toBeLessThanOrEqual(MOST_CANDIDATES);
    expect(candidates.map(({ event }) => event.eventId)).toContain(salt!.eventId);
    expect(candidates[0]?.sources).toContain('loose');
  });

  it('hold what the same person did in these words, however many others have used them', async () => {
    const { dal, causal } = await openMemory();
    const sessionId = await newSession(dal);
    const [snapshot] = await causal.addEvents(sessionId, [
      told('Ana', 'took a full snapshot before the move', 0),
    ]);
    const others = Array.from({ length: 40 }, (_, at) =>
      told(`Ben ${String(at)}`, `a snapshot of day ${String(at)} was kept`, at + 1),
    );
    // What happened to Ana since: enough to fill every other source.
    const since = Array.from({ length: 30 }, (_, at) => told('Ana', `read page ${String(at)}`, at + 50));
    await causal.addEvents(sessionId, [...others, ...since]);
    const [stale] = await causal.addEvents(sessionId, [told('Ana', 'the snapshot had gone stale', 90)]);
    const found = await findCandidates(dal.causal, stale!);
    expect(found.map(({ event }) => event.eventId)).toContain(snapshot!.eventId);
  });

  it('hold the decision in force on the subject, which a new one may take the place of', async () => {
    const { dal, causal } = await openMemory();
    const sessionId = await newSession(dal);
    const [kettle, tea, ...others] = await causal.addEvents(sessionId, [
      told('Ana', 'boiled the water in a kettle', 0),
      told('Ana', 'tea was ready at four each day', 1),
      ...Array.from({ length: 12 }, (_, at) => told('Ana', `planted row ${at} of the beans`, at + 2)),
    ]);
    await causal.addLinks(sessionId, [
      link(kettle, tea, 'enabled'),
      ...others.slice(1).map((event, at) => link(others[at], event, at % 2 === 0 ? 'caused' : 'enabled')),
    ]);
    const [urn] = await causal.addEvents(sessionId, [told('Ana', 'bought an urn that keeps tea hot', 30)]);
    const first = await findCandidates(dal.causal, urn!);
    const found = first.find(({ event }) => event.eventId === kettle!.eventId);
    expect(found?.sources).toContain('in_force');
    // What has been superseded holds no more.
    await causal.addLinks(sessionId, [link(urn, kettle, 'superseded')]);
    const [pot] = await causal.addEvents(sessionId, [told('Ana', 'went back to a pot for the tea', 40)]);
    const later = await findCandidates(dal.causal, pot!);
    expect(
      later.flatMap(({ event, sources }) => (event.eventId === kettle!.eventId ? sources : [])),
    ).not.toContain('in_force');
  });

  it('are of the session only, and earlier', async () => {
    const { dal, causal } = await openMemory();
    const [one, two] = [await newSession(dal), await newSession(dal)];
    const [early] = await causal.addEvents(one, [told('Ana', 'the pump ran dry', 0)]);
    const [late] = await causal.addEvents(one, [told('Ana', 'the pump ran dry again', 9)]);
    await causal.addEvents(two, [told('Ana', 'the pump ran dry', 1)]);
    const [event] = await causal.addEvents(one, [told('Ana', 'the pump was replaced', 5)]);
    const ids = (await findCandidates(dal.causal, event!)).map((candidate) => candidate.event.eventId);
    expect(ids).toEqual([early!.eventId]);
    expect(ids).not.toContain(late!.eventId);
  });
});

describe('a timeline that is asked for two events', () => {
  it('holds both, also when the words of one are much rarer', async () => {
    const { dal, causal } = await openMemory();
    const sessionId = await newSession(dal);
    await causal.addEvents(
      sessionId,
      Array.from({ length: 20 }, (_, at) => told('Ana', `the milk went sour on day ${at}`, at)),
    );
    await causal.addEvents(sessionId, [
      told('Ben', 'the alternator belt of the forklift snapped under load', 30),
    ]);
    const { nodes } = await causal.timeline({
      sessionId,
      query:
        'Which happened first: the alternator belt of the forklift snapped under load, or the milk went sour on day 3?',
      limit: 50,
    });
    expect(nodes.map(({ text }) => text)).toEqual(
      expect.arrayContaining([
        'the milk went sour on day 3',
        'the alternator belt of the forklift snapped under load',
      ]),
    );
  });
});
