import { CccError } from '../base/ccc-error.ts';
import type { Clock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { MemoryService } from '../memory/memory-service.ts';
import type { ChatProvider } from '../models/provider.ts';
import type { CycleEventRecord, CycleRecord } from '../store/cycle-store.ts';
import type { MemoryDAL } from '../store/memory-dal.ts';
import type { CycleService, StartCycle } from './cycle-service.ts';
import type { MachineState } from './machine/state.ts';
import { initialState } from './machine/step.ts';
import { Agents } from './runner/agents.ts';
import { CycleRun, type RunDeps } from './runner/cycle-run.ts';
import { followRun } from './runner/follow.ts';
import { asJson, fromJson, storedRequest } from './runner/stored-request.ts';

export interface CycleServiceDeps {
  dal: Pick<MemoryDAL, 'cycles'>;
  memory: Pick<MemoryService, 'prepareTurn' | 'jobsForTurns'>;
  provider: ChatProvider;
  /** Models of the agents; the request's model when undefined. */
  models: { beatrice: string | undefined; codey: string | undefined };
  clock: Clock;
  logger: Logger;
  /** Called when a cycle rests: its turns have given rise to background work. */
  nudgeJobs?: () => void;
}

/** Events read from the record at a time. */
const EVENT_PAGE = 500;

/** Starts cycles, keeps those that run in this process, and answers about all of them. */
export function createCycleService(deps: CycleServiceDeps): CycleService {
  const runDeps: RunDeps = { ...deps, agents: new Agents(deps.provider) };
  const running = new Map<string, CycleRun>();

  const keep = (run: CycleRun): CycleRun => {
    running.set(run.cycleId, run);
    const forget = () => {
      running.delete(run.cycleId);
      deps.nudgeJobs?.();
    };
    run.done.then(forget, forget);
    return run;
  };

  const requireCycle = async (cycleId: string): Promise<CycleRecord> => {
    const cycle = await deps.dal.cycles.get(cycleId);
    if (!cycle) throw new CccError('cycle_not_found');
    return cycle;
  };

  const storedEvents = async (cycle: CycleRecord, afterSeq: number): Promise<CycleEventRecord[]> => {
    const events: CycleEventRecord[] = [];
    for (;;) {
      const last = events.at(-1)?.seq ?? afterSeq;
      const page = await deps.dal.cycles.events({ ...cycle, afterSeq: last, limit: EVENT_PAGE });
      events.push(...page);
      if (page.length < EVENT_PAGE) return events;
    }
  };

  return {
    async start(input) {
      const created = await deps.dal.cycles.create(newCycle(deps, input));
      const run = new CycleRun(runDeps, created.cycle, {
        stepNumber: 0,
        attempt: 1,
        openStepId: null,
        turns: created.turns,
      });
      run.replay(created.events);
      return keep(run);
    },

    async get(cycleId) {
      const cycle = await requireCycle(cycleId);
      return { cycle, steps: await deps.dal.cycles.steps(cycle.sessionId, cycleId) };
    },

    async *follow(cycleId, afterSeq, signal) {
      const cycle = await requireCycle(cycleId);
      const run = running.get(cycleId);
      if (run) {
        yield* followRun(run, afterSeq, signal);
        return;
      }
      for (const event of await storedEvents(cycle, afterSeq)) yield { kind: 'event', event };
    },

    async cancel(cycleId) {
      const cycle = await requireCycle(cycleId);
      const run = running.get(cycleId);
      if (!run) {
        throw new CccError(
          'cycle_conflict',
          cycle.outcome === null
            ? 'The cycle does not run on this server.'
            : `The cycle has ended: ${cycle.outcome}.`,
        );
      }
      run.cancel();
      await run.done;
      return requireCycle(cycleId);
    },

    async resume(cycleId) {
      const cycle = await requireCycle(cycleId);
      if (running.has(cycleId)) throw new CccError('cycle_conflict', 'The cycle is running.');
      if (cycle.outcome !== null)
        throw new CccError('cycle_conflict', `The cycle has ended: ${cycle.outcome}.`);
      const steps = await deps.dal.cycles.steps(cycle.sessionId, cycleId);
      const open = steps.find(({ status }) => status === 'open');
      const run = new CycleRun(runDeps, cycle, {
        stepNumber: steps.at(-1)?.stepNumber ?? 0,
        attempt: open ? open.attempt + 1 : 1,
        openStepId: open?.stepId ?? null,
        turns: [],
      });
      run.replay(await storedEvents(cycle, 0));
      return keep(run);
    },

    async decide(cycleId, input) {
      const cycle = await requireCycle(cycleId);
      if (cycle.outcome !== 'awaiting_decision') {
        throw new CccError('cycle_conflict', 'The cycle does not wait for a decision.');
      }
      const state = fromJson<MachineState>(cycle.machine);
      if (state.drafts.find(({ round }) => round === state.delivered)?.hash !== input.draftHash) {
        throw new CccError('cycle_conflict', 'The decision is about another draft than the one that waits.', {
          param: 'draft_hash',
        });
      }
      const steps = await deps.dal.cycles.steps(cycle.sessionId, cycleId);
      const run = new CycleRun(runDeps, cycle, {
        stepNumber: steps.at(-1)?.stepNumber ?? 0,
        attempt: 1,
        openStepId: null,
        turns: [],
        decision: { type: 'decided', decision: input.decision, text: input.text },
      });
      run.replay(await storedEvents(cycle, 0));
      return keep(run);
    },

    async drain(graceMs) {
      const runs = [...running.values()];
      for (const run of runs) run.drain(false);
      const timer = setTimeout(() => {
        for (const run of runs) run.drain(true);
      }, graceMs);
      await Promise.allSettled(runs.map(({ done }) => done));
      clearTimeout(timer);
    },
  };
}

function newCycle(deps: CycleServiceDeps, input: StartCycle): Parameters<MemoryDAL['cycles']['create']>[0] {
  const { sessionId, conversationId, directive, options, context, storeTurns } = input;
  const now = deps.clock.now();
  const cycleId = newId('cyc');
  const state = initialState({
    maxRevisions: options.maxRounds,
    maxTotalTokens: options.maxTotalTokens,
    criteria: options.criteria.map((text, at) => ({ id: `c${String(at + 1)}`, text })),
  });
  return {
    sessionId,
    conversationId,
    cycleId,
    status: state.status,
    outcome: null,
    request: asJson(storedRequest(input)),
    machine: asJson(state),
    createdAt: now,
    turns: storeTurns
      ? [
          deps.memory.prepareTurn({
            agent: 'wykeve',
            kind: 'directive',
            content: directive,
            speaker: input.speaker ?? null,
            timestamp: now,
            cycleId,
            metadata: input.directiveMetadata ?? {},
          }),
        ]
      : [],
    events: [
      {
        type: 'cycle_started',
        data: asJson({
          agent: 'wykeve',
          directive,
          conversation_id: conversationId,
          criteria: state.criteria,
          context: {
            tokens: context?.tokenCount ?? 0,
            omitted_turns: context?.omittedTurns ?? 0,
            prompt: context?.prompt ?? null,
            sections: (context?.sections ?? []).map(({ name, tokens }) => ({ name, tokens })),
            turns: (context?.relevantTurns ?? []).map(({ turn, score, source, parts }) => ({
              turn_id: turn.turnId,
              conversation_id: turn.conversationId,
              agent: turn.agent,
              speaker: turn.speaker,
              timestamp: new Date(turn.timestamp).toISOString(),
              content: turn.content,
              score,
              source,
              parts,
            })),
          },
        }),
      },
    ],
    jobs: [],
  };
}
