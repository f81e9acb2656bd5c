import type { Clock } from '../../base/clock.ts';
import type { JobHandler, JobRunner } from '../../jobs/job-runner.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { Agent, JsonObject } from '../../store/records.ts';
import { habitsOf, topicsOf } from './habits.ts';
import { NOTE_HABITS } from './jobs.ts';

export interface HabitsDeps {
  dal: Pick<MemoryDAL, 'agents' | 'conversations' | 'index'>;
  clock: Clock;
}

/** Newest directives that tell the topics. */
const DIRECTIVES = 50;
/** How often a state is written when others write at the same time; then the job is tried again later. */
const TRIES = 20;

/** Puts the counting of habits to work on its jobs. */
export function registerHabits(jobs: Pick<JobRunner, 'register'>, deps: HabitsDeps): void {
  jobs.register(NOTE_HABITS, noteHabits(deps));
}

/** Writes into each agent's state, under `habits`, how it has worked so far. What else the state holds stays. */
export function noteHabits({ dal, clock }: HabitsDeps): JobHandler {
  const note = async (sessionId: string, agent: Agent, habits: JsonObject | null): Promise<void> => {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const known = await dal.agents.get(sessionId, agent);
      const put = await dal.agents.put({
        sessionId,
        agent,
        expectedVersion: known?.version ?? 0,
        state: withHabits(known?.state ?? {}, habits),
        now: clock.now(),
      });
      if (put) return;
    }
    throw new Error('Others keep writing the state of this agent.');
  };
  return async ({ sessionId }) => {
    const [turns, conversations] = await Promise.all([
      dal.index.lookup(sessionId, []),
      dal.conversations.list({ sessionId, limit: DIRECTIVES, cursor: null }),
    ]);
    const topics = topicsOf(conversations.items.map(({ directive }) => directive));
    const habits = habitsOf(turns);
    for (const [agent, counted] of habits) await note(sessionId, agent, { ...counted, topics });
    // Of an agent that has no turn any more nothing is told: what it had said is not kept.
    for (const { agent, state } of await dal.agents.list(sessionId)) {
      if (!habits.has(agent) && state['habits'] !== undefined) await note(sessionId, agent, null);
    }
  };
}

function withHabits(state: JsonObject, habits: JsonObject | null): JsonObject {
  const { habits: _before, ...rest } = state;
  return habits ? { ...rest, habits } : rest;
}
