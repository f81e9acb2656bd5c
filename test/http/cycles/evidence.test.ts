import { describe, expect, it } from 'vitest';
import { role, streamed } from '../../support/upstream.ts';
import { APPROVE, startServer } from './support.ts';

const DAY_MS = 86_400_000;
const MOVED = 'I moved to Lyon last week.';

/** A session in which the person has said one thing first and another later, and a reviewer who approves everything. */
async function sessionOfSomeoneWhoMoved() {
  const server = await startServer();
  const { memory, sessionId } = server;
  const begin = Date.now() - 30 * DAY_MS;
  for (const [day, content] of [
    [0, 'I live in Paris.'],
    [20, MOVED],
  ] as const) {
    const { conversation } = await memory.createConversation({
      sessionId,
      directive: content,
      turns: [],
    });
    await memory.appendTurns({
      conversationId: conversation.conversationId,
      turns: [{ agent: 'wykeve', content, timestamp: begin + day * DAY_MS }],
    });
  }
  server.upstream.on(role('guidance'), streamed(['Look it up.'])).on(role('verdict'), streamed([APPROVE]));
  const ask = async (directive: string) => {
    const started = await server.api.post(`/api/v2/sessions/${sessionId}/cycles`, { directive });
    return server.api.rested(started.body.cycle_id as string);
  };
  const reviews = () => server.upstream.calls.filter(role('verdict')).map(({ body }) => body);
  return { ...server, ask, reviews };
}

describe('a reviewer who approves everything', () => {
  it('does not get a draft through that memory contradicts; the review and the revision quote what was said', async () => {
    const { ask, reviews, upstream } = await sessionOfSomeoneWhoMoved();
    upstream
      .expect(role('draft'), streamed(['You live in Paris.']))
      .expect(role('draft'), streamed(['You live in Lyon.']));
    const cycle = await ask('Where do I live?');
    expect(cycle).toMatchObject({ outcome: 'approved', rounds: 2, answer: 'You live in Lyon.' });
    const quoted =
      /memory: FAILED\. The draft says “You live in Paris\.”; the person said on [\d-]+: “I moved to Lyon last week\.”/;
    expect(reviews()[0]).toMatch(quoted);
    expect(reviews()[1]).not.toContain('memory: FAILED');
    const revision = upstream.calls.filter(role('draft'))[1]?.body;
    expect(revision).toMatch(quoted);
  });

  it('does not get words through that the person never said, nor a length that was not asked for', async () => {
    const { ask, upstream } = await sessionOfSomeoneWhoMoved();
    upstream
      .expect(role('draft'), streamed(['You said "I moved to Rome". Rome is warm.']))
      .expect(role('draft'), streamed(['You live in Lyon. It has two rivers. It is large.']))
      .expect(role('draft'), streamed(['You live in Lyon.']));
    const cycle = await ask('Tell me in at most two sentences where I live.');
    expect(cycle).toMatchObject({ outcome: 'approved', rounds: 3, answer: 'You live in Lyon.' });
    upstream.assertComplete();
  });

  it('sees in its review which checks were passed, too', async () => {
    const { ask, reviews, upstream } = await sessionOfSomeoneWhoMoved();
    upstream.expect(role('draft'), streamed(['You live in Lyon.']));
    await ask('Tell me in at most ten words where I live.');
    expect(reviews()[0]).toContain(
      'asked_length: passed. “at most ten words” is asked for; the draft has 4 words.',
    );
  });
});
