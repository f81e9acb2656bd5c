import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CausalMemory } from '../../src/causal/create-causal-memory.ts';
import { findCandidates } from '../../src/causal/judging/candidates.ts';
import { CccError } from '../../src/base/ccc-error.ts';
import type { CausalEventRecord, CausalLinkRecord, Relation } from '../../src/store/causal-store.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { newSession, NOON, openMemory } from './support.ts';

const RELATIONS: Relation[] = ['caused', 'enabled', 'prevented', 'superseded'];
const WORDS = ['rope', 'crate', 'pump', 'filter', 'alarm', 'roof', 'rain', 'mould'];

/** A small world: when each event happened (several at one moment), who did it, and links that somebody tries to add. */
const world = fc.record({
  events: fc.array(
    fc.record({
      minute: fc.integer({ min: 0, max: 6 }),
      words: fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 3 }),
      actor: fc.constantFrom('Ana', 'Ben', null),
    }),
    { minLength: 2, maxLength: 14 },
  ),
  links: fc.array(
    fc.record({
      cause: fc.nat({ max: 13 }),
      effect: fc.nat({ max: 13 }),
      relation: fc.constantFrom(...RELATIONS),
      confidence: fc.double({ min: 0.01, max: 1, noNaN: true }),
    }),
    { maxLength: 40 },
  ),
  removed: fc.array(fc.nat({ max: 13 }), { maxLength: 3 }),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

interface Built {
  sessionId: string;
  events: CausalEventRecord[];
  links: CausalLinkRecord[];
}

/** Builds a world link by link, as the record lets it, and then takes some events out. */
async function build(
  dal: MemoryDAL,
  causal: CausalMemory,
  { events: given, links, removed }: World,
): Promise<Built> {
  const sessionId = await newSession(dal);
  const events = await causal.addEvents(
    sessionId,
    given.map(({ minute, words, actor }) => ({
      text: words.join(' '),
      actor,
      happenedAt: NOON + minute * 60_000,
    })),
  );
  for (const { cause, effect, ...rest } of links) {
    const [from, to] = [events[cause % events.length]!, events[effect % events.length]!];
    await causal
      .addLinks(sessionId, [{ causeId: from.eventId, effectId: to.eventId, ...rest }])
      .catch(ifRefused);
    // Between links too: the projection follows piece by piece.
    if (rest.confidence > 0.8) await causal.why(sessionId, to.eventId);
  }
  const gone = new Set(removed.map((at) => events[at % events.length]!.eventId).slice(0, events.length - 1));
  for (const eventId of gone) await causal.removeEvent(sessionId, eventId);
  const { nodes, links: stored } = await causal.graph({ sessionId, aroundEventId: null, limit: 100 });
  return { sessionId, events: nodes, links: stored };
}

function ifRefused(error: unknown): void {
  if (!(error instanceof CccError) || error.code !== 'link_refused') throw error;
}

/** What can be reached along causing links, found in the simplest way. */
function reach(links: CausalLinkRecord[], from: string, way: 'up' | 'down'): Set<string> {
  const reached = new Set([from]);
  for (const id of reached) {
    for (const link of links) {
      if (link.relation !== 'caused' && link.relation !== 'enabled') continue;
      if (way === 'up' && link.effectId === id) reached.add(link.causeId);
      if (way === 'down' && link.causeId === id) reached.add(link.effectId);
    }
  }
  return reached;
}

/** Ids are new each time; everything else of two answers has to be equal. */
function placesOf({ events }: Built, ids: string[]): number[] {
  const place = new Map(events.map(({ eventId }, at) => [eventId, at]));
  return ids.map((id) => place.get(id) ?? -1);
}

const RUNS = { numRuns: 25, endOnFailure: true };

describe('over random graphs, on the real record and the real projection', () => {
  it('no link points forward, none closes a loop, and every chain ends', async () => {
    const { dal, causal } = await openMemory();
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        const built = await build(dal, causal, given);
        const { sessionId, events, links } = built;
        const timeOf = new Map(events.map(({ eventId, happenedAt }) => [eventId, happenedAt]));
        for (const { causeId, effectId, relation } of links) {
          const [cause, effect] = [timeOf.get(causeId)!, timeOf.get(effectId)!];
          if (relation === 'superseded') expect(cause).toBeGreaterThanOrEqual(effect);
          else if (relation !== 'prevented') expect(cause).toBeLessThanOrEqual(effect);
        }
        for (const { eventId } of events) {
          const above = reach(links, eventId, 'up');
          // Nothing is among its own causes.
          for (const link of links) {
            if (link.effectId !== eventId || link.relation === 'prevented' || link.relation === 'superseded')
              continue;
            expect(reach(links, link.causeId, 'up').has(eventId)).toBe(false);
          }
          const why = await causal.why(sessionId, eventId);
          expect(new Set(why.nodes.map((node) => node.eventId))).toEqual(above);
          const { chain } = why;
          expect(chain.eventIds.at(-1)).toBe(eventId);
          expect(new Set(chain.eventIds).size).toBe(chain.eventIds.length);
          expect(chain.linkIds).toHaveLength(chain.eventIds.length - 1);
          // It begins at a root: nothing led there.
          expect(reach(links, chain.eventIds[0]!, 'up').size).toBe(1);
        }
      }),
      RUNS,
    );
  });

  it('effects(why(x)) contains x: whatever led to an event has it among what it led to', async () => {
    const { dal, causal } = await openMemory();
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        const { sessionId, events, links } = await build(dal, causal, given);
        for (const { eventId } of events) {
          const { nodes } = await causal.why(sessionId, eventId);
          for (const cause of nodes) {
            const effects = await causal.effects(sessionId, cause.eventId);
            const found = effects.nodes.map((node) => node.eventId);
            expect(found).toContain(eventId);
            expect(new Set(found)).toEqual(reach(links, cause.eventId, 'down'));
          }
        }
      }),
      RUNS,
    );
  });

  it('two sessions with the same texts never cross: not in a chain, a candidate, an answer or a figure', async () => {
    const { dal, causal } = await openMemory();
    await fc.assert(
      fc.asyncProperty(world, world, async (given, other) => {
        const alone = await openMemory({ inFile: false });
        // The same texts, told in another order and linked otherwise.
        const foreign = { ...other, events: [...given.events, ...given.events].reverse() };
        const control = await build(alone.dal, alone.causal, given);
        const neighbour = await build(dal, causal, foreign);
        const built = await build(dal, causal, given);
        await build(dal, causal, foreign);
        const own = new Set(built.events.map(({ eventId }) => eventId));
        expect(
          placesOf(
            built,
            built.links.map(({ causeId }) => causeId),
          ),
        ).toEqual(
          placesOf(
            control,
            control.links.map(({ causeId }) => causeId),
          ),
        );
        for (const [at, event] of built.events.entries()) {
          const twin = control.events[at]!;
          const [why, whyTwin] = [
            await causal.why(built.sessionId, event.eventId),
            await alone.causal.why(control.sessionId, twin.eventId),
          ];
          expect(why.nodes.every((node) => own.has(node.eventId))).toBe(true);
          expect(placesOf(built, why.chain.eventIds)).toEqual(placesOf(control, whyTwin.chain.eventIds));
          // Scores are made of word statistics: equal to the last digit, they were counted in the session alone.
          const [candidates, candidatesTwin] = [
            await findCandidates(dal.causal, event),
            await findCandidates(alone.dal.causal, twin),
          ];
          expect(candidates.map(({ score }) => score)).toEqual(candidatesTwin.map(({ score }) => score));
          expect(
            placesOf(
              built,
              candidates.map((candidate) => candidate.event.eventId),
            ),
          ).toEqual(
            placesOf(
              control,
              candidatesTwin.map((candidate) => candidate.event.eventId),
            ),
          );
          await expect(causal.why(neighbour.sessionId, event.eventId)).rejects.toMatchObject({
            code: 'event_not_found',
          });
          const foreignEnd = neighbour.events[0]!.eventId;
          await expect(
            causal.addLinks(built.sessionId, [
              { causeId: event.eventId, effectId: foreignEnd, relation: 'prevented' },
            ]),
          ).rejects.toMatchObject({ code: 'event_not_found' });
        }
        const ask = { query: 'why did the pump and the rope', maxTokens: 400 };
        const told = await causal.narrative({ sessionId: built.sessionId, ...ask });
        const toldTwin = await alone.causal.narrative({ sessionId: control.sessionId, ...ask });
        expect(told.text).toBe(toldTwin.text);
        const [figures, figuresTwin] = [
          (await causal.analytics(built.sessionId)).causes,
          (await alone.causal.analytics(control.sessionId)).causes,
        ];
        expect(figures.rootCauses.map(({ effects, event }) => [event.eventNo, effects])).toEqual(
          figuresTwin.rootCauses.map(({ effects, event }) => [event.eventNo, effects]),
        );
        expect(figures.longestChains.map(({ events }) => events.map(({ eventNo }) => eventNo))).toEqual(
          figuresTwin.longestChains.map(({ events }) => events.map(({ eventNo }) => eventNo)),
        );
        await alone.causal.close();
        await alone.dal.close();
      }),
      { ...RUNS, numRuns: 12 },
    );
  });
});
