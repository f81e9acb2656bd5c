import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { JobRunner } from '../../src/jobs/job-runner.ts';
import { createMemoryService } from '../../src/memory/create-memory-service.ts';
import { topicsOf } from '../../src/memory/habits/habits.ts';
import { habitsJob } from '../../src/memory/habits/jobs.ts';
import { registerHabits } from '../../src/memory/habits/note-habits.ts';
import { asking, newSession, openMemory } from './support.ts';

async function withHabits() {
  const { dal } = await openMemory();
  const jobs = new JobRunner({ jobs: dal.jobs });
  onTestFinished(() => jobs.stop(0));
  // Due at once: a test does not wait for more to come.
  const memory = createMemoryService({
    dal,
    jobsOfExchange: (_conversationId, now) => [{ ...habitsJob(now), runAt: now }],
    nudgeJobs: () => {
      jobs.nudge();
    },
  });
  registerHabits(jobs, { dal, clock: systemClock });
  jobs.start();
  return { jobs, memory };
}

describe('how the agents have worked', () => {
  it('counts turns, their length and hours, and the topics, and keeps what else the state holds', async () => {
    const { jobs, memory } = await withHabits();
    const sessionId = await newSession(memory);
    await memory.putAgentState({ sessionId, agent: 'codey', state: { style: 'short' } });
    for (const directive of ['Paint the harbour shed', 'Which paint does a shed need?']) {
      const { conversation } = await memory.createConversation({ sessionId, directive });
      const { conversationId } = conversation;
      const at = (time: string) => Date.parse(`2026-05-08T${time}:00Z`);
      await memory.appendTurns({
        conversationId,
        turns: [
          { agent: 'codey', kind: 'answer', content: 'Green boat paint.', timestamp: at('09:10') },
          { agent: 'wykeve', speaker: 'Ana', content: 'Thanks, Codey.', timestamp: at('22:15') },
        ],
      });
    }
    await jobs.whenIdle();
    const codey = await memory.getAgentState(sessionId, 'codey');
    expect(codey.state).toMatchObject({
      style: 'short',
      habits: {
        interactions: 2,
        mean_words: 3,
        first_at: '2026-05-08T09:10:00.000Z',
        last_at: '2026-05-08T09:10:00.000Z',
        topics: [
          { topic: 'paint', directives: 2 },
          { topic: 'shed', directives: 2 },
        ],
      },
    });
    const { by_hour: hours } = codey.state['habits'] as { by_hour: number[] };
    expect(hours.map((count, hour) => [hour, count]).filter(([, count]) => count)).toEqual([[9, 2]]);
    const person = await memory.getAgentState(sessionId, 'wykeve');
    expect(person.state['habits']).toMatchObject({ interactions: 4 });
  });

  it('loses no turn while many write, and no word of a person who writes the state meanwhile', async () => {
    const { jobs, memory } = await withHabits();
    const sessionId = await newSession(memory);
    const { conversation } = await memory.createConversation({ sessionId, directive: 'Count.' });
    const { conversationId } = conversation;
    await Promise.all(
      Array.from({ length: 40 }, async (_, at) => {
        await memory.appendTurns({
          conversationId,
          turns: [{ agent: 'codey', content: `Turn ${String(at)}.` }],
        });
        const { state, version } = await memory.getAgentState(sessionId, 'codey');
        const notes = { ...(state['notes'] as object | undefined), [`n${String(at)}`]: at };
        // Who lost the race may try again; here it is enough that nothing that was taken is lost.
        await memory
          .putAgentState({ sessionId, agent: 'codey', state: { ...state, notes }, expectedVersion: version })
          .catch(() => undefined);
      }),
    );
    const before = (await memory.getAgentState(sessionId, 'codey')).state['notes'];
    await jobs.whenIdle();
    const { state } = await memory.getAgentState(sessionId, 'codey');
    expect(state['habits']).toMatchObject({ interactions: 40 });
    expect(state['notes']).toEqual(before);
  });

  it('is for people: no prompt holds it', async () => {
    const { jobs, memory } = await withHabits();
    const sessionId = await newSession(memory);
    await memory.createConversation({ sessionId, directive: 'Paint the shed' });
    await jobs.whenIdle();
    const { prompt } = await memory.buildContext(asking(sessionId, 'Which shed?'));
    expect(prompt).toContain('Paint the shed');
    expect(prompt).not.toMatch(/habits|interactions|by_hour/);
  });

  it('takes no word of a single directive for a topic, and none that says nothing', () => {
    expect(topicsOf(['Where is the boat?', 'Where is the shed?', 'Where is the boats’ harbour?'])).toEqual([
      { topic: 'boat', directives: 2 },
    ]);
  });
});
