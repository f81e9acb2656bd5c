import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { JobRunner } from '../../src/jobs/job-runner.ts';
import { createMemoryService } from '../../src/memory/create-memory-service.ts';
import { registerSummaries } from '../../src/memory/summaries/register.ts';
import { createOpenAiProvider } from '../../src/models/openai/openai-provider.ts';
import { completion, role, startUpstream } from '../support/upstream.ts';
import { asking, newSession, openMemory, recordFile, told } from './support.ts';

async function withSummaries(file = recordFile()) {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  const { dal } = await openMemory(file);
  const jobs = new JobRunner({ jobs: dal.jobs, backoff: { firstMs: 5, longestMs: 5 }, maxAttempts: 3 });
  onTestFinished(() => jobs.stop(0));
  const memory = createMemoryService({
    dal,
    nudgeJobs: () => {
      jobs.nudge();
    },
  });
  const provider = createOpenAiProvider({
    baseUrl: upstream.baseUrl,
    apiKey: 'sk-test',
    model: 'm',
    timeoutMs: 5_000,
    maxRetries: 0,
  });
  registerSummaries(jobs, { dal, provider, model: 'm', triggerTokens: 60, clock: systemClock });
  return { upstream, dal, jobs, memory };
}

const summary = (text: string) => completion({ content: JSON.stringify({ summary: text }) });
const long = (word: string) => ({ agent: 'wykeve' as const, content: `${word} `.repeat(80).trim() });

describe('summaries', () => {
  it('are made in the background once a conversation passes its budget, and name what they cover', async () => {
    const { upstream, jobs, memory } = await withSummaries();
    upstream.expect(role('summary'), summary('It was about boats.'));
    jobs.start();
    const sessionId = await newSession(memory);
    const conversationId = await told(memory, sessionId, 'Boats', [long('boat')]);
    await expect
      .poll(async () => (await memory.getSummary(sessionId, conversationId)).current)
      .toMatchObject({
        version: 1,
        text: 'It was about boats.',
        coversThrough: 2,
        author: 'model',
      });
    upstream.assertComplete();
    const { prompt } = await memory.buildContext(asking(sessionId, 'Something else', { conversationId }));
    expect(prompt).toContain('It was about boats.');
  });

  it('are not made of a short conversation', async () => {
    const { upstream, jobs, memory } = await withSummaries();
    jobs.start();
    const sessionId = await newSession(memory);
    await told(memory, sessionId, 'Boats', [{ agent: 'wykeve', content: 'A boat.' }]);
    await jobs.whenIdle();
    expect(upstream.calls).toEqual([]);
  });

  it('go on from the old one with what came after it, and keep it as history', async () => {
    const { upstream, jobs, memory } = await withSummaries();
    upstream
      .expect(role('summary'), summary('Boats.'))
      .expect(role('summary'), summary('Boats, then sheds.'));
    jobs.start();
    const sessionId = await newSession(memory);
    const conversationId = await told(memory, sessionId, 'Boats', [long('boat')]);
    const current = async () => (await memory.getSummary(sessionId, conversationId)).current?.text;
    await expect.poll(current).toBe('Boats.');
    await memory.appendTurns({ conversationId, turns: [long('shed')] });
    await expect.poll(current).toBe('Boats, then sheds.');
    const second = upstream.calls[1]?.body ?? '';
    expect(second).toContain('<summary>\\nBoats.\\n</summary>');
    expect(second).not.toContain('boat boat');
    expect(
      (await memory.getSummary(sessionId, conversationId)).history.map(({ version }) => version).sort(),
    ).toEqual([1, 2]);
  });

  it('of several conversations become one of the session', async () => {
    const { upstream, jobs, memory } = await withSummaries();
    upstream.on(role('summary'), (res, call) => {
      const session = call.body.includes('Conversation 2:');
      return summary(session ? 'Boats and sheds.' : 'One of them.')(res, call);
    });
    jobs.start();
    const sessionId = await newSession(memory);
    await told(memory, sessionId, 'Boats', [long('boat')]);
    await told(memory, sessionId, 'Sheds', [long('shed')]);
    await expect
      .poll(async () => (await memory.getSummary(sessionId, null)).current?.text)
      .toBe('Boats and sheds.');
  });

  it('never take the place of what the person wrote: the model is told to keep it', async () => {
    const { upstream, jobs, memory } = await withSummaries();
    upstream.expect(role('summary'), summary('My boat is called Ida. Then sheds.'));
    const sessionId = await newSession(memory);
    const conversationId = await told(memory, sessionId, 'Boats');
    await memory.putSummary({ sessionId, conversationId, text: 'My boat is called Ida.' });
    jobs.start();
    await memory.appendTurns({ conversationId, turns: [long('shed')] });
    await expect
      .poll(async () => (await memory.getSummary(sessionId, conversationId)).current?.version)
      .toBe(2);
    expect(upstream.calls[0]?.body).toContain('keep what it says');
  });

  it('that a model answers wrongly are not stored; the job is tried again and then set aside', async () => {
    const { upstream, dal, jobs, memory } = await withSummaries();
    upstream.on(role('summary'), completion({ content: 'I would rather not.' }));
    jobs.start();
    const sessionId = await newSession(memory);
    const conversationId = await told(memory, sessionId, 'Boats', [long('boat')]);
    await expect
      .poll(() => dal.jobs.counts())
      .toEqual([{ kind: 'summarise_conversation', state: 'failed', count: 1 }]);
    expect(upstream.calls).toHaveLength(3);
    expect((await memory.getSummary(sessionId, conversationId)).current).toBeNull();
  });

  it('are made after a restart when the server stopped before', async () => {
    const file = recordFile();
    const before = await openMemory(file);
    const sessionId = await newSession(before.memory);
    const conversationId = await told(before.memory, sessionId, 'Boats', [long('boat')]);
    await before.dal.close();
    const { upstream, jobs, memory } = await withSummaries(file);
    upstream.expect(role('summary'), summary('Boats.'));
    jobs.start();
    await expect
      .poll(async () => (await memory.getSummary(sessionId, conversationId)).current?.text)
      .toBe('Boats.');
  });
});
