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

  it('of the only conversation that has one is the session’s too, with no model asked', async () => {
    const { upstream, jobs, memory } = await withSummaries();
    upstream.expect(role('summary'), summary('It was about boats.'));
    jobs.start();
    const sessionId = await newSession(memory);
    const conversationId = await told(memory, sessionId, 'Boats', [long('boat')]);
    await expect
      .poll(async () => (await memory.getSummary(sessionId, null)).current)
      .toMatchObject({ text: 'It was about boats.', author: 'rule', coversThrough: 1 });
    expect(upstream.calls).toHaveLength(1);
    const elsewhere = await told(memory, sessionId, 'Something else');
    const ask = (id: string) => memory.buildContext(asking(sessionId, 'And now?', { conversationId: id }));
    expect((await ask(elsewhere)).prompt).toContain('It was about boats.');
    expect((await ask(conversationId)).prompt?.match(/It was about boats/g)).toHaveLength(1);
  });

  it('of more conversations than one call can hold go into the session’s call by call', async () => {
    const { upstream, dal, jobs, memory } = await withSummaries();
    upstream.on(role('summary'), (res, call) => {
      const numbers = [...call.body.matchAll(/Conversation (\d+):/g)].map(([, number]) => number);
      return summary(numbers.length > 0 ? `Up to ${numbers.at(-1) ?? ''}.` : 'A boat. '.repeat(30))(
        res,
        call,
      );
    });
    const sessionId = await newSession(memory);
    for (let at = 0; at < 5; at += 1) await told(memory, sessionId, 'Boats', [long('boat')]);
    jobs.start();
    const current = async () => (await memory.getSummary(sessionId, null)).current;
    await expect.poll(current).toMatchObject({ text: 'Up to 5.', coversThrough: 5 });
    const sizes = upstream.calls.map(({ body }) => [...body.matchAll(/Conversation \d+:/g)].length);
    expect(Math.max(...sizes)).toBeLessThan(5);
    // Once there is one, only what is newer goes into it.
    await jobs.whenIdle();
    const before = upstream.calls.length;
    const { conversationId } = (await dal.conversations.list({ sessionId, limit: 1, cursor: null }))
      .items[0]!;
    await memory.appendTurns({ conversationId, turns: [long('oar')] });
    const later = () => upstream.calls.slice(before).filter(({ body }) => body.includes('Conversation '));
    await expect.poll(() => later().length).toBeGreaterThan(0);
    expect(later()[0]?.body).toContain('<summary>\\nUp to 5.');
    await jobs.whenIdle();
    expect(later().length).toBeLessThan(5);
  });

  it('never change what the person wrote: their words stand first, whatever the model says', async () => {
    const { upstream, jobs, memory } = await withSummaries();
    upstream
      .expect(role('summary'), summary('Then they spoke of sheds.'))
      .expect(role('summary'), summary('Sheds, then oars.'))
      .expect(role('summary'), summary('Only masts.'));
    const sessionId = await newSession(memory);
    const conversationId = await told(memory, sessionId, 'Boats');
    const current = async () => (await memory.getSummary(sessionId, conversationId)).current;
    await memory.putSummary({ sessionId, conversationId, text: 'My boat is called Ida.' });
    jobs.start();
    await memory.appendTurns({ conversationId, turns: [long('shed')] });
    await expect
      .poll(async () => (await current())?.text)
      .toBe('My boat is called Ida.\n\nThen they spoke of sheds.');
    await memory.appendTurns({ conversationId, turns: [long('oar')] });
    await expect
      .poll(async () => (await current())?.text)
      .toBe('My boat is called Ida.\n\nSheds, then oars.');
    expect(upstream.calls[1]?.body).toContain('<summary>\\nThen they spoke of sheds.\\n</summary>');
    // A new word of the person takes the place of all that stood.
    await memory.putSummary({ sessionId, conversationId, text: 'She is called Eda.' });
    await memory.appendTurns({ conversationId, turns: [long('mast')] });
    await expect.poll(async () => (await current())?.text).toBe('She is called Eda.\n\nOnly masts.');
    upstream.assertComplete();
  });

  it('made while the person writes give way to theirs and are made again on top of it', async () => {
    const { upstream, jobs, memory } = await withSummaries();
    const sessionId = await newSession(memory);
    const conversationId = await told(memory, sessionId, 'Boats', [long('boat')]);
    let calls = 0;
    upstream.on(role('summary'), async (res, call) => {
      calls += 1;
      if (calls === 1) await memory.putSummary({ sessionId, conversationId, text: 'Mine.' });
      await summary(`Number ${String(calls)}.`)(res, call);
    });
    jobs.start();
    await expect
      .poll(async () => (await memory.getSummary(sessionId, conversationId)).current)
      .toMatchObject({ version: 2, text: 'Mine.\n\nNumber 2.' });
  });

  it('leave the steps of the work out, and only begin with a turn of megabytes', async () => {
    const { upstream, jobs, memory } = await withSummaries();
    upstream.on(role('summary'), summary('Done.'));
    jobs.start();
    const sessionId = await newSession(memory);
    await told(memory, sessionId, 'Boats', [
      { agent: 'beatrice', kind: 'verdict', content: 'A verdict.' },
      { agent: 'wykeve', content: 'boat '.repeat(200_000) },
    ]);
    await expect.poll(() => upstream.calls.length).toBeGreaterThan(0);
    const { body = '' } = upstream.calls[0] ?? {};
    expect(body).not.toContain('A verdict.');
    expect(body.length).toBeLessThan(5_000);
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
