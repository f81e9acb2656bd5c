import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/base/ids.ts';
import type { CycleLessons, NewLesson } from '../../src/store/lesson-store.ts';
import type { ExportRow, MemoryDAL } from '../../src/store/memory-dal.ts';
import { IMPLEMENTATIONS, newConversation, newSession, NOON } from './implementations.ts';

function lesson(text: string, fields: Partial<NewLesson> = {}): NewLesson {
  return {
    lessonId: newId('les'),
    agent: 'codey',
    trigger: 'dates in reports',
    text,
    status: 'active',
    pinned: false,
    author: 'model',
    evidence: [{ cycleId: 'cyc_1', issueIds: ['i1'] }],
    hash: `hash of ${text}`,
    ...fields,
  };
}

describe.each(IMPLEMENTATIONS)('lessons: $name', ({ prepare }) => {
  const record = prepare();
  const elsewhere = prepare();
  let dal: MemoryDAL;
  let sessionId: string;
  beforeAll(async () => {
    dal = await record.open();
  });
  beforeEach(async () => {
    sessionId = await newSession(dal);
  });
  afterAll(async () => {
    await record.remove();
    await elsewhere.remove();
  });

  async function newCycle(): Promise<string> {
    const cycleId = newId('cyc');
    await dal.cycles.create({
      sessionId,
      conversationId: await newConversation(dal, sessionId, []),
      cycleId,
      status: 'approved',
      outcome: 'approved',
      request: {},
      machine: {},
      createdAt: NOON,
      turns: [],
      events: [],
      jobs: [],
    });
    return cycleId;
  }

  const learn = async (fields: Partial<CycleLessons>) =>
    dal.lessons.learn({
      sessionId,
      cycleId: fields.cycleId ?? (await newCycle()),
      lessons: [],
      confirmed: [],
      disputed: [],
      trial: null,
      now: NOON,
      ...fields,
    });
  const texts = async () => (await dal.lessons.list(sessionId, 'codey', 100)).map(({ text }) => text);

  it('a cycle teaches once, however often it is told', async () => {
    const cycleId = await newCycle();
    const told = { cycleId, lessons: [lesson('Write dates with the year.')] };
    const trial = { given: [told.lessons[0]!.lessonId], withheld: [], approved: true };
    expect(await learn({ ...told, trial })).toBe(true);
    expect(await learn({ ...told, trial })).toBe(false);
    const [stored, ...rest] = await dal.lessons.list(sessionId, 'codey', 100);
    expect(rest).toEqual([]);
    expect(stored).toMatchObject({
      ...told.lessons[0],
      lessonNo: 1,
      version: 1,
      withIt: { trials: 1, approved: 1 },
      withoutIt: { trials: 0, approved: 0 },
    });
    expect(await dal.lessons.get(sessionId, stored!.lessonId)).toEqual(stored);
  });

  it('are told over all sessions by how often they were tried, untried and deleted ones not at all', async () => {
    const [often, once, never, gone] = ['often', 'once', 'never', 'gone'].map((text) =>
      lesson(`Tried ${text}.`),
    ) as [NewLesson, NewLesson, NewLesson, NewLesson];
    const trial = (given: NewLesson[], withheld: NewLesson[] = []) => ({
      given: given.map(({ lessonId }) => lessonId),
      withheld: withheld.map(({ lessonId }) => lessonId),
      approved: true,
    });
    await learn({ lessons: [often, never, gone], trial: trial([often, gone]) });
    await learn({ trial: trial([gone], [often]) });
    sessionId = await newSession(dal);
    await learn({ lessons: [once], trial: trial([once]) });
    const told = async () => {
      const known = new Set([often, once, never, gone].map(({ lessonId }) => lessonId));
      const all = await dal.lessons.mostTried(1_000);
      return all.filter(({ lessonId }) => known.has(lessonId)).map(({ text }) => text);
    };
    expect((await told()).toSorted()).toEqual([gone.text, often.text, once.text]);
    expect((await told()).at(-1)).toBe(once.text);
    const [{ sessionId: first } = { sessionId: '' }] = (await dal.lessons.mostTried(1_000)).filter(
      ({ lessonId }) => lessonId === gone.lessonId,
    );
    await dal.lessons.remove(first, gone.lessonId, NOON);
    expect(await told()).toEqual([often.text, once.text]);
  });

  it('a cycle or a session that is not there teaches nothing', async () => {
    await expect(learn({ cycleId: 'cyc_none' })).rejects.toMatchObject({ code: 'cycle_not_found' });
    await expect(learn({ sessionId: 'sess_none' })).rejects.toMatchObject({ code: 'session_not_found' });
  });

  it('the same words again are evidence for a lesson in use, and nothing for one that was put away', async () => {
    await learn({ lessons: [lesson('one'), lesson('two'), lesson('three')] });
    const [three, two, one] = await dal.lessons.list(sessionId, 'codey', 100);
    await dal.lessons.change({
      sessionId,
      lessonId: two!.lessonId,
      changes: { status: 'retired' },
      now: NOON,
    });
    expect(await dal.lessons.remove(sessionId, three!.lessonId, NOON)).toBe(true);
    const evidence = [{ cycleId: 'cyc_2', issueIds: ['i9'] }];
    await learn({ lessons: ['one', 'two', 'three'].map((text) => lesson(text, { evidence })) });
    expect(await texts()).toEqual(['two', 'one']);
    expect((await dal.lessons.get(sessionId, one!.lessonId))?.evidence).toEqual([
      ...one!.evidence,
      ...evidence,
    ]);
    expect(await dal.lessons.get(sessionId, two!.lessonId)).toMatchObject({
      status: 'retired',
      evidence: two!.evidence,
    });
  });

  it('a deleted one leaves nothing of what it said, and the person may give it again', async () => {
    const { lessonId } = await dal.lessons.add(sessionId, lesson('a secret word'), NOON);
    await dal.lessons.change({ sessionId, lessonId, changes: { pinned: true }, now: NOON });
    await dal.lessons.remove(sessionId, lessonId, NOON);
    expect(await dal.lessons.get(sessionId, lessonId)).toBeNull();
    expect(await dal.lessons.versions(sessionId, lessonId)).toEqual([]);
    expect(await dal.lessons.remove(sessionId, lessonId, NOON)).toBe(false);
    const { items } = await dal.maintenance.exportPage(sessionId, null, 1000);
    const rows = items.filter(({ table }) => table.startsWith('lesson'));
    expect(rows).toHaveLength(1);
    expect(rows[0]?.row).toMatchObject({ text: '', trigger_text: '', evidence: [], status: 'deleted' });
    const again = await dal.lessons.add(sessionId, lesson('a secret word', { author: 'person' }), NOON);
    expect(again).toMatchObject({ text: 'a secret word', version: 1, author: 'person' });
  });

  it('a change keeps what was; other words are measured anew and are the person’s', async () => {
    const added = await dal.lessons.add(sessionId, lesson('short'), NOON);
    const { lessonId } = added;
    await learn({ trial: { given: [], withheld: [lessonId], approved: true } });
    const words = { trigger: 'letters', text: 'long', hash: 'hash of long' };
    const changed = await dal.lessons.change({
      sessionId,
      lessonId,
      expectedVersion: 1,
      changes: { words, pinned: true },
      now: NOON + 5,
    });
    expect(changed).toMatchObject({
      text: 'long',
      trigger: 'letters',
      pinned: true,
      author: 'person',
      version: 2,
      withoutIt: { trials: 0 },
    });
    expect(await dal.lessons.versions(sessionId, lessonId)).toEqual([
      {
        version: 1,
        trigger: 'dates in reports',
        text: 'short',
        status: 'active',
        pinned: false,
        author: 'model',
        until: NOON + 5,
      },
    ]);
    await expect(
      dal.lessons.change({ sessionId, lessonId, expectedVersion: 1, changes: { pinned: false }, now: NOON }),
    ).rejects.toMatchObject({ code: 'version_conflict' });
    await dal.lessons.add(sessionId, lesson('other'), NOON);
    await expect(
      dal.lessons.change({
        sessionId,
        lessonId,
        changes: { words: { ...words, hash: 'hash of other' } },
        now: NOON,
      }),
    ).rejects.toMatchObject({ code: 'invalid_request' });
    expect(
      await dal.lessons.change({ sessionId, lessonId: 'les_none', changes: { pinned: true }, now: NOON }),
    ).toBeNull();
  });

  it('what is disputed waits for the person, and active ones are read with the pinned first', async () => {
    await learn({
      lessons: [lesson('a'), lesson('b', { pinned: true }), lesson('c', { agent: 'beatrice' })],
    });
    expect((await dal.lessons.active(sessionId, 10)).map(({ text }) => text)).toEqual(['b', 'c', 'a']);
    const [, a] = await dal.lessons.list(sessionId, 'codey', 10);
    await learn({ disputed: [a!.lessonId], lessons: [lesson('not a', { status: 'candidate' })] });
    expect((await dal.lessons.active(sessionId, 10)).map(({ text }) => text)).toEqual(['b', 'c']);
    expect((await dal.lessons.active(sessionId, 1)).map(({ text }) => text)).toEqual(['b']);
  });

  it('lessons go with their session, out and in again, and away', async () => {
    await learn({ lessons: [lesson('kept'), lesson('gone')] });
    const [gone, kept] = await dal.lessons.list(sessionId, 'codey', 10);
    await dal.lessons.change({ sessionId, lessonId: kept!.lessonId, changes: { pinned: true }, now: NOON });
    await dal.lessons.remove(sessionId, gone!.lessonId, NOON);
    const rows: ExportRow[] = (await dal.maintenance.exportPage(sessionId, null, 1000)).items;
    const other = await elsewhere.open();
    await other.maintenance.importBatch(sessionId, rows);
    expect(await other.lessons.list(sessionId, 'codey', 10)).toEqual([]);
    await other.maintenance.importCommit({ sessionId, tokenHash: newId('sess'), jobs: [], now: NOON });
    expect(await other.lessons.list(sessionId, 'codey', 10)).toEqual(
      await dal.lessons.list(sessionId, 'codey', 10),
    );
    expect(await other.lessons.versions(sessionId, kept!.lessonId)).toHaveLength(1);
    await dal.sessions.erase(sessionId);
    expect((await dal.maintenance.exportPage(sessionId, null, 10)).items).toEqual([]);
    expect(await dal.lessons.list(sessionId, 'codey', 10)).toEqual([]);
    expect(await dal.maintenance.check()).toEqual([]);
  });
});
