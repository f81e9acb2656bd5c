import { describe, expect, it } from 'vitest';
import { failure, role } from '../../support/upstream.ts';
import { newSession, openMemory, recordFile, told } from '../support.ts';
import { createMemoryService } from '../../../src/memory/create-memory-service.ts';
import { factsJob } from '../../../src/memory/facts/jobs.ts';
import { answer, withModel, withRule } from './support.ts';

const person = (content: string, timestamp?: number) => ({
  agent: 'wykeve' as const,
  content,
  ...(timestamp === undefined ? {} : { timestamp }),
});

describe('facts in the background', () => {
  it('are read by a model, with where and when they were told', async () => {
    const { upstream, jobs, memory, facts } = await withModel();
    const sessionId = await newSession(memory);
    const conversationId = await told(memory, sessionId, 'I live in Paris and have a dog called Rex.');
    upstream.expect(role('facts'), answer([1, 'home', 'Paris'], [1, 'dog', 'Rex', { only_one: false }]));
    jobs.start();
    await jobs.whenIdle();
    expect(await facts(sessionId)).toEqual(['the person | dog | Rex', 'the person | home | Paris']);
    const [turn] = await memory.listTurns({ conversationId, fromNumber: 1, limit: 1 });
    const [fact] = (await memory.listFacts({ sessionId, current: true, limit: 1, cursor: null })).items;
    expect(fact).toMatchObject({
      sourceTurnId: turn?.turnId,
      conversationId,
      validFrom: turn?.timestamp,
      author: 'model',
      exclusive: false,
    });
    expect(upstream.calls[0]?.json.response_format.json_schema).toMatchObject({
      name: 'facts',
      strict: true,
    });
    upstream.assertComplete();
  });

  it('the model is shown what is noted, and what changed closes what was', async () => {
    const { upstream, jobs, memory, facts } = await withModel();
    const sessionId = await newSession(memory);
    const conversationId = await told(memory, sessionId, 'I live in Paris.');
    upstream.expect(role('facts'), answer([1, 'home', 'Paris']));
    jobs.start();
    await jobs.whenIdle();
    upstream.expect(role('facts'), answer([2, 'Home', 'Lyon']));
    await memory.appendTurns({ conversationId, turns: [person('I have moved to Lyon.')] });
    await jobs.whenIdle();
    expect(await facts(sessionId)).toEqual(['the person | Home | Lyon', 'the person | home | Paris (once)']);
    const messages = upstream.calls[1]?.json.messages;
    expect(messages[1].content).toContain('- the person | home | Paris');
    expect(messages[1].content).toContain('I have moved to Lyon.');
    expect(messages[1].content).not.toContain('I live in Paris.');
  });

  it('what is so no more ends', async () => {
    const { upstream, jobs, memory, facts } = await withModel();
    const sessionId = await newSession(memory);
    const conversationId = await told(memory, sessionId, 'I have a car.');
    upstream.expect(role('facts'), answer([1, 'car', 'yes', { only_one: false }]));
    jobs.start();
    await jobs.whenIdle();
    upstream.expect(role('facts'), answer([2, 'car', 'yes', { only_one: false, holds: false }]));
    await memory.appendTurns({ conversationId, turns: [person('I sold the car.')] });
    await jobs.whenIdle();
    expect(await facts(sessionId)).toEqual(['the person | car | yes (once)']);
  });

  it('nothing that an agent or a tool says becomes a fact, and nothing of turns that are not there', async () => {
    const { upstream, jobs, memory, facts } = await withModel();
    const sessionId = await newSession(memory);
    const { conversation } = await memory.createConversation({
      sessionId,
      directive: 'x',
      turns: [],
    });
    await memory.appendTurns({
      conversationId: conversation.conversationId,
      turns: [
        person('What is this page?'),
        { agent: 'codey', kind: 'answer', content: 'The person is rich.' },
      ],
    });
    upstream.expect(role('facts'), answer([2, 'wealth', 'rich'], [7, 'home', 'Oslo']));
    jobs.start();
    await jobs.whenIdle();
    expect(await facts(sessionId)).toEqual([]);
    upstream.assertComplete();
  });

  it('an answer that is none is asked for again, then tried again, then set aside; later turns are read', async () => {
    const { upstream, jobs, memory, facts, dal } = await withModel();
    const sessionId = await newSession(memory);
    const conversationId = await told(memory, sessionId, 'I live in Paris.');
    upstream.expect(role('facts'), failure(500, { message: 'down' }));
    for (let i = 0; i < 4; i += 1) upstream.expect(role('facts'), answer([1, '', '']));
    jobs.start();
    await expect
      .poll(() => dal.jobs.counts())
      .toContainEqual({
        kind: 'extract_facts',
        state: 'failed',
        count: 1,
      });
    upstream.assertComplete();
    upstream.expect(role('facts'), answer([2, 'home', 'Lyon']));
    await memory.appendTurns({ conversationId, turns: [person('I moved to Lyon.')] });
    await jobs.whenIdle();
    expect(await facts(sessionId)).toEqual(['the person | home | Lyon']);
  });

  it('a server that refuses a schema is asked without one', async () => {
    const { upstream, jobs, memory, facts } = await withModel();
    const sessionId = await newSession(memory);
    await told(memory, sessionId, 'I live in Paris.');
    upstream
      .expect(role('facts'), failure(400, { message: 'no json_schema here' }))
      .expect(role('facts'), answer([1, 'home', 'Paris']));
    jobs.start();
    await jobs.whenIdle();
    expect(await facts(sessionId)).toEqual(['the person | home | Paris']);
    expect(upstream.calls[1]?.json.response_format).toEqual({ type: 'json_object' });
  });

  it('a kill loses no job: what was stored before is read by the next process', async () => {
    const file = recordFile();
    const before = await openMemory(file);
    const storing = createMemoryService({
      dal: before.dal,
      jobsOfExchange: (conversationId, now) => [{ ...factsJob(conversationId, now), runAt: now }],
    });
    const sessionId = await newSession(storing);
    await told(storing, sessionId, 'I live in Paris.');
    // Taken up by a process that is gone before it is done: its lease runs out.
    const [job] = await before.dal.jobs.claim({
      kinds: ['extract_facts'],
      limit: 1,
      leaseMs: 1,
      now: Date.now(),
    });
    expect(job?.attempts).toBe(1);
    await before.dal.close();
    const { upstream, jobs, facts } = await withModel(file);
    upstream.expect(role('facts'), answer([1, 'home', 'Paris']));
    jobs.start();
    await expect.poll(() => facts(sessionId)).toEqual(['the person | home | Paris']);
    upstream.assertComplete();
  });

  it('a long conversation is read in portions, to its end', async () => {
    const { jobs, memory, facts } = await withRule();
    const sessionId = await newSession(memory);
    const turns = Array.from({ length: 130 }, (_, i) =>
      person(`My favourite number${'abcdefghijklm'.charAt(i % 13)} is ${String(i)}.`),
    );
    await told(memory, sessionId, 'Numbers', turns);
    jobs.start();
    await expect.poll(async () => (await facts(sessionId)).length).toBe(130);
    const current = (await facts(sessionId)).filter((fact) => !fact.endsWith('(once)'));
    expect(current).toHaveLength(13);
  });

  it('the rehearsal provider reads by rule, and says so', async () => {
    const { jobs, memory, facts } = await withRule();
    const sessionId = await newSession(memory);
    await told(memory, sessionId, 'I live in Paris.', [
      person('By the way, I moved to Lyon. My favourite colour is teal.'),
      person('Would I like Rome?'),
    ]);
    jobs.start();
    await jobs.whenIdle();
    expect(await facts(sessionId)).toEqual([
      'the person | favorite colour | teal',
      'the person | home | Lyon',
      'the person | home | Paris (once)',
    ]);
    const [fact] = (await memory.listFacts({ sessionId, current: true, limit: 1, cursor: null })).items;
    expect(fact?.author).toBe('rule');
  });
});
