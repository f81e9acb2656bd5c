import { describe, expect, it } from 'vitest';
import { newId } from '../../src/base/ids.ts';
import { link, newSession, NOON, openMemory, tellEvents } from './support.ts';

const codeOf = async (attempt: Promise<unknown>): Promise<string> => {
  try {
    await attempt;
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'none';
};

describe('what the record refuses', () => {
  it('a cause that is later than its effect', async () => {
    const { dal, causal } = await openMemory({ inFile: false });
    const sessionId = await newSession(dal);
    const [early, late] = await tellEvents(causal, sessionId, ['the pipe froze', 'the cellar was flooded']);
    expect(await codeOf(causal.addLinks(sessionId, [link(late, early)]))).toBe('link_refused');
    expect(await codeOf(causal.addLinks(sessionId, [link(late, early, 'enabled')]))).toBe('link_refused');
    expect(await dal.causal.counts()).toMatchObject({ events: 2, links: 0 });
  });

  it('what supersedes and came before; and takes what prevents either way', async () => {
    const { dal, causal } = await openMemory({ inFile: false });
    const sessionId = await newSession(dal);
    const [early, late] = await tellEvents(causal, sessionId, ['a paper list', 'a shared calendar']);
    expect(await codeOf(causal.addLinks(sessionId, [link(early, late, 'superseded')]))).toBe('link_refused');
    await causal.addLinks(sessionId, [link(late, early, 'superseded')]);
    const [flood, pump] = await tellEvents(causal, sessionId, ['flood', 'a pump was put in']);
    await causal.addLinks(sessionId, [link(pump, flood, 'prevented')]);
    expect(await codeOf(causal.addLinks(sessionId, [link(flood, pump, 'prevented')]))).toBe('link_refused');
    // That the flood is why there is a pump is another matter.
    await causal.addLinks(sessionId, [link(flood, pump, 'caused')]);
  });

  it('a loop among events of the same moment, and an event as its own cause', async () => {
    const { dal, causal } = await openMemory({ inFile: false });
    const sessionId = await newSession(dal);
    const [a, b, c] = await causal.addEvents(
      sessionId,
      ['a', 'b', 'c'].map((text) => ({ text, happenedAt: NOON })),
    );
    await causal.addLinks(sessionId, [link(a, b), link(b, c, 'enabled')]);
    expect(await codeOf(causal.addLinks(sessionId, [link(c, a)]))).toBe('link_refused');
    expect(await codeOf(causal.addLinks(sessionId, [link(b, a, 'enabled')]))).toBe('link_refused');
    expect(await codeOf(causal.addLinks(sessionId, [link(a, a)]))).toBe('link_refused');
  });

  it('a link into another session, or to nothing', async () => {
    const { dal, causal } = await openMemory({ inFile: false });
    const [here, there] = [await newSession(dal), await newSession(dal)];
    const [mine] = await tellEvents(causal, here, ['mine']);
    const [theirs] = await tellEvents(causal, there, ['theirs']);
    expect(await codeOf(causal.addLinks(here, [link(mine, theirs)]))).toBe('event_not_found');
    expect(await codeOf(causal.addLinks(there, [link(mine, theirs)]))).toBe('event_not_found');
    expect(await codeOf(causal.addEvents('sess_none', [{ text: 'x' }]))).toBe('session_not_found');
  });

  it('one bad link among good ones: none of them is stored', async () => {
    const { dal, causal } = await openMemory({ inFile: false });
    const sessionId = await newSession(dal);
    const [a, b] = await tellEvents(causal, sessionId, ['a', 'b']);
    expect(await codeOf(causal.addLinks(sessionId, [link(a, b), link(b, a)]))).toBe('link_refused');
    expect((await causal.why(sessionId, b!.eventId)).links).toEqual([]);
  });

  it('a correction of time that would turn a link around', async () => {
    const { dal, causal } = await openMemory({ inFile: false });
    const sessionId = await newSession(dal);
    const [a, b] = await tellEvents(causal, sessionId, ['a', 'b']);
    await causal.addLinks(sessionId, [link(a, b)]);
    const moved = causal.changeEvent(sessionId, a!.eventId, { happenedAt: NOON + 3_600_000 });
    expect(await codeOf(moved)).toBe('link_refused');
    expect(await causal.getEvent(sessionId, a!.eventId)).toEqual(a);
  });
});

describe("a person's word", () => {
  it('is never replaced by a model or a rule, and replaces theirs', async () => {
    const { dal, causal } = await openMemory({ inFile: false });
    const sessionId = await newSession(dal);
    const [a, b] = await tellEvents(causal, sessionId, ['a', 'b']);
    const judged = (judgedBy: 'model' | 'rule' | 'person', confidence: number) =>
      causal.addLinks(sessionId, [link(a, b, 'caused', { judgedBy, confidence })]);
    await judged('rule', 0.2);
    expect((await judged('model', 0.6))[0]).toMatchObject({ judgedBy: 'model', confidence: 0.6 });
    expect((await judged('rule', 0.3))[0]).toMatchObject({ judgedBy: 'model', confidence: 0.6 });
    expect((await judged('model', 0.5))[0]).toMatchObject({ confidence: 0.5 });
    const [own] = await judged('person', 0.9);
    expect((await judged('model', 0.1))[0]).toEqual(own);
    expect((await causal.why(sessionId, b!.eventId)).links).toEqual([own]);
  });

  it('takes a link out for good', async () => {
    const { dal, causal } = await openMemory({ inFile: false });
    const sessionId = await newSession(dal);
    const [a, b] = await tellEvents(causal, sessionId, ['a', 'b']);
    const [wrong] = await causal.addLinks(sessionId, [link(a, b, 'caused', { judgedBy: 'model' })]);
    await causal.removeLink(sessionId, wrong!.linkId);
    const again = {
      linkId: newId('link'),
      ...link(a, b),
      confidence: 0.9,
      explanation: '',
      judgedBy: 'model' as const,
    };
    const settled = await dal.causal.settle({ sessionId, eventIds: [b!.eventId], links: [again], now: NOON });
    expect(settled).toEqual({ links: [], refused: 1 });
    expect((await causal.why(sessionId, b!.eventId)).links).toEqual([]);
    // Only the person brings it back.
    expect(await causal.addLinks(sessionId, [link(a, b)])).toHaveLength(1);
  });

  it('confirms, and corrects text, actor and relation', async () => {
    const { dal, causal } = await openMemory({ inFile: false });
    const sessionId = await newSession(dal);
    const [a, b] = await tellEvents(causal, sessionId, ['the old wording', 'b']);
    const [first] = await causal.addLinks(sessionId, [
      link(a, b, 'caused', { judgedBy: 'model', confidence: 0.4 }),
    ]);
    expect(await causal.changeLink(sessionId, first!.linkId, {})).toMatchObject({
      judgedBy: 'person',
      confidence: 1,
      relation: 'caused',
    });
    expect(await causal.changeLink(sessionId, first!.linkId, { relation: 'enabled' })).toMatchObject({
      relation: 'enabled',
    });
    expect(
      await causal.changeEvent(sessionId, a!.eventId, { text: 'a heron landed', actor: 'Ana' }),
    ).toMatchObject({ text: 'a heron landed', actor: 'Ana', recordedBy: 'person' });
    const find = async (query: string) =>
      (await causal.timeline({ sessionId, query, limit: 9 })).nodes.map(({ eventId }) => eventId);
    expect(await find('heron')).toEqual([a!.eventId]);
    expect(await find('wording')).toEqual([]);
  });

  it('removes an event with its links and its words', async () => {
    const { dal, causal } = await openMemory({ inFile: false });
    const sessionId = await newSession(dal);
    const [a, b, c] = await tellEvents(causal, sessionId, [
      'a heron landed',
      'the fish were gone',
      'we ate bread',
    ]);
    await causal.addLinks(sessionId, [link(a, b), link(b, c)]);
    await causal.removeEvent(sessionId, b!.eventId);
    expect(await codeOf(causal.getEvent(sessionId, b!.eventId))).toBe('event_not_found');
    expect((await causal.why(sessionId, c!.eventId)).links).toEqual([]);
    expect((await causal.timeline({ sessionId, query: 'fish', limit: 9 })).nodes).toEqual([]);
    expect(await dal.causal.counts()).toMatchObject({ events: 2, links: 0 });
    expect(await dal.maintenance.check()).toEqual([]);
  });
});

describe('the order of changes', () => {
  it('counts in each session for itself, and is told piece by piece without a gap', async () => {
    const { dal, causal } = await openMemory({ inFile: false });
    const [one, two] = [await newSession(dal), await newSession(dal)];
    const events = await tellEvents(causal, one, ['a', 'b', 'c']);
    await tellEvents(causal, two, ['a']);
    await causal.addLinks(one, [link(events[0], events[1]), link(events[1], events[2])]);
    await causal.removeEvent(one, events[1]!.eventId);
    expect((await dal.causal.head(one))?.changeSeq).toBe(8);
    expect((await dal.causal.head(two))?.changeSeq).toBe(1);
    expect(await dal.causal.counts()).toEqual({ events: 3, links: 0, changes: 9 });
    for (const limit of [1, 2, 3, 100]) {
      const seen: number[] = [];
      const gone: number[] = [];
      for (let after = 0, more = true; more;) {
        const changes = await dal.causal.changesSince(one, after, limit);
        expect(changes.through).toBeGreaterThan(after);
        ({ through: after, more } = changes);
        seen.push(...changes.events.nos);
        gone.push(...changes.removedEvents);
      }
      expect({ seen, gone }).toEqual({ seen: [1, 3], gone: [2] });
    }
    await dal.sessions.erase(one);
    expect(await dal.causal.counts()).toEqual({ events: 1, links: 0, changes: 1 });
  });

  it('goes on after an export and an import as it would have', async () => {
    const { dal, causal } = await openMemory({ inFile: false });
    const sessionId = await newSession(dal);
    const [a, b, c] = await tellEvents(causal, sessionId, ['a heron landed', 'b', 'c']);
    await causal.addLinks(sessionId, [link(a, b), link(b, c)]);
    await causal.removeEvent(sessionId, c!.eventId);
    const before = await dal.causal.head(sessionId);
    const exported = (await dal.maintenance.exportPage(sessionId, null, 1000)).items;
    const elsewhere = await openMemory({ inFile: false });
    const terms = { terms: [['heron', 1]] as [string, number][], length: 1 };
    await elsewhere.dal.maintenance.importBatch(
      sessionId,
      exported.map((row) => (row.table === 'causal_events' ? { ...row, terms } : row)),
    );
    await elsewhere.dal.maintenance.importCommit({ sessionId, tokenHash: 'x', jobs: [], now: NOON });
    expect(await elsewhere.dal.causal.head(sessionId)).toMatchObject({ changeSeq: before!.changeSeq });
    const here = await causal.why(sessionId, b!.eventId);
    expect(await elsewhere.causal.why(sessionId, b!.eventId)).toEqual(here);
    const [next] = await tellEvents(elsewhere.causal, sessionId, ['d']);
    expect(next).toMatchObject({ eventNo: 4, changeSeq: before!.changeSeq + 1 });
    expect((await elsewhere.dal.maintenance.exportPage(sessionId, null, 1000)).items).toHaveLength(
      exported.length + 1,
    );
  });
});
