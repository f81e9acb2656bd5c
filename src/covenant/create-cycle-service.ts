import { CccError } from '../base/ccc-error.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { MemoryService } from '../memory/memory-service.ts';
import type { ChatProvider } from '../models/provider.ts';
import type { CycleEventRecord, CycleRecord } from '../store/cycle-store.ts';
import type { MemoryDAL } from '../store/memory-dal.ts';
import type { ServerBudgets } from './budgets.ts';
import type { CycleService, Outcome } from './cycle-service.ts';
import type { MachineEvent, MachineState } from './machine/state.ts';
import { mayGoOn } from './machine/step.ts';
import { callIdsOf, pendingCall } from './machine/tools.ts';
import { newCycle } from './new-cycle.ts';
import { Agents } from './runner/agents.ts';
import { CycleRun, type RunDeps } from './runner/cycle-run.ts';
import { followElsewhere } from './runner/follow-elsewhere.ts';
import { followRun } from './runner/follow.ts';
import { LEASE_MS, SharedRuns } from './runner/shared-runs.ts';
import { fromJson } from './runner/stored-request.ts';
import type { CycleTracer } from './tracing/cycle-tracer.ts';

export interface CycleServiceDeps {
  dal: Pick<MemoryDAL, 'cycles' | 'budgets' | 'shared'>;
  memory: Pick<MemoryService, 'prepareTurn' | 'jobsForTurns'>;
  provider: ChatProvider;
  /** Models of the agents; the request's model when undefined. */
  models: { beatrice: string | undefined; codey: string | undefined };
  /** The server's limits on what cycles may take; none when absent. */
  budgets?: ServerBudgets;
  /** How long a server that shares the record may be silent before others take up its cycles, in milliseconds. */
  leaseMs?: number;
  clock: Clock;
  logger: Logger;
  /** Called when a run of a cycle rests, after its result: for who keeps traces. */
  trace?: CycleTracer;
  /** Called when a cycle rests: its turns have given rise to background work. */
  nudgeJobs?: () => void;
}

/** Events read from the record at a time. */
const EVENT_PAGE = 500;
/** Cycles of one session that wait for tools and are looked through; older ones have been given up by their client. */
const MOST_WAITING = 50;

/** How long another server may take to end a cycle that it is asked to, in milliseconds. */
const CANCEL_MS = 10_000;

/** Starts cycles, keeps those that run in this process, and answers about all of them. */
export function createCycleService(deps: CycleServiceDeps): CycleService {
  const runDeps: RunDeps = { ...deps, agents: new Agents(deps.provider) };
  const running = new Map<string, CycleRun>();
  /** Cycles that are about to go on: of two requests that let the same one go on, only one may. */
  const claimed = new Set<string>();
  let draining = false;
  const { shared: record } = deps.dal;
  const shared = record
    ? new SharedRuns(record, deps.leaseMs ?? LEASE_MS, deps.logger, {
        running,
        adopt: (cycleId) => goOn(cycleId, adopting),
      })
    : null;

  const keep = (run: CycleRun): CycleRun => {
    running.set(run.cycleId, run);
    shared?.hold(run);
    const forget = () => {
      running.delete(run.cycleId);
      deps.nudgeJobs?.();
      deps.trace?.({ cycleId: run.cycleId, fromStep: run.fromStep });
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

  /** The cycle as it stands once no other server can go on with it. @throws cycle_conflict when one does */
  const takeUp = async (cycleId: string, begin: (cycle: CycleRecord) => unknown): Promise<CycleRecord> => {
    const cycle = await requireCycle(cycleId);
    if (!shared) return cycle;
    // What must not go on needs no lease.
    begin(cycle);
    if (!(await shared.take(cycle.sessionId, cycleId))) {
      throw new CccError('cycle_conflict', 'The cycle is running on another server.');
    }
    return requireCycle(cycleId);
  };

  /** A cycle that another server runs: that one is asked to end it. @throws cycle_conflict when it does not in time */
  const cancelElsewhere = async (cycle: CycleRecord, runs: SharedRuns): Promise<CycleRecord> => {
    const inTime = AbortSignal.timeout(CANCEL_MS);
    const ended = drainSignals(elsewhere(runs, cycle.cycleId, 0, inTime));
    await runs.askToCancel(cycle.cycleId);
    await ended;
    const now = await requireCycle(cycle.cycleId);
    if (now.outcome !== null) return now;
    throw new CccError('cycle_conflict', 'The cycle is running on another server, which does not answer.');
  };

  const elsewhere = (runs: SharedRuns, cycleId: string, afterSeq: number, signal: AbortSignal) =>
    followElsewhere(
      {
        listen: (listener) => runs.listen(listener),
        cycle: (id) => deps.dal.cycles.get(id),
        events: storedEvents,
      },
      cycleId,
      afterSeq,
      signal,
    );

  /** Lets a stored cycle go on in this process. `begin` says with what; it throws when the cycle must not. */
  const goOn = async (
    cycleId: string,
    begin: (cycle: CycleRecord) => { first?: MachineEvent; cancelled?: boolean },
    payer?: string,
  ): Promise<CycleRun> => {
    if (draining) throw new CccError('shutting_down');
    if (running.has(cycleId) || claimed.has(cycleId)) {
      throw new CccError('cycle_conflict', 'The cycle is running.');
    }
    claimed.add(cycleId);
    try {
      const cycle = await takeUp(cycleId, begin);
      const { first, cancelled } = begin(cycle);
      const steps = await deps.dal.cycles.steps(cycle.sessionId, cycleId);
      const events = await storedEvents(cycle, 0);
      const open = steps.find(({ status }) => status === 'open');
      const run = new CycleRun(runDeps, cycle, {
        stepNumber: steps.at(-1)?.stepNumber ?? 0,
        attempt: open ? open.attempt + 1 : 1,
        openStepId: open?.stepId ?? null,
        ...(first ? { first } : {}),
        payer,
      });
      if (cancelled) run.cancel();
      run.replay(events);
      return keep(run);
    } finally {
      claimed.delete(cycleId);
    }
  };

  return {
    async start(input) {
      if (draining) throw new CccError('shutting_down');
      const { cycle, ...beginning } = newCycle(deps, input);
      const from = { stepNumber: 0, attempt: 1, openStepId: null, beginning, payer: input.payer };
      const run = keep(new CycleRun(runDeps, cycle, from));
      await run.recorded;
      return run;
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
      if (shared && cycle.outcome === null) {
        yield* elsewhere(shared, cycleId, afterSeq, signal);
        return;
      }
      for (const event of await storedEvents(cycle, afterSeq)) yield { kind: 'event', event };
    },

    async cancel(cycleId) {
      const here = running.get(cycleId);
      if (!here && shared) {
        const cycle = await requireCycle(cycleId);
        if (cycle.outcome === null && !(await shared.take(cycle.sessionId, cycleId))) {
          return cancelElsewhere(cycle, shared);
        }
      }
      const run = here ?? (await goOn(cycleId, cancelling));
      run.cancel();
      await run.done;
      return requireCycle(cycleId);
    },

    async stopSession(sessionId) {
      const runs = [...running.values()].filter((run) => run.sessionId === sessionId);
      for (const run of runs) run.cancel();
      await Promise.allSettled(runs.map(({ done }) => done));
    },

    resume: (cycleId, payer) =>
      goOn(
        cycleId,
        ({ outcome }) => {
          if (outcome === null) return {};
          if (outcome === 'drained') return { first: { type: 'resumed' } };
          throw new CccError(
            'cycle_conflict',
            mayGoOn(outcome as Outcome)
              ? `The cycle waits for somebody: ${outcome}.`
              : `The cycle has ended: ${outcome}.`,
          );
        },
        payer,
      ),

    async findWaiting(sessionId, toolCallIds) {
      const asked = new Set(toolCallIds);
      const waiting = await deps.dal.cycles.waitingForTools(sessionId, MOST_WAITING);
      const found = waiting.find((cycle) => {
        const ids = pendingIds(cycle);
        return ids.length === asked.size && ids.every((id) => asked.has(id));
      });
      return found?.cycleId ?? null;
    },

    continueWithTools: (cycleId, results, payer) =>
      goOn(
        cycleId,
        (cycle) => {
          const given = new Set(results.map(({ tool_call_id: id }) => id));
          const ids = pendingIds(cycle);
          if (ids.length === 0 || !ids.every((id) => given.has(id))) {
            throw new CccError(
              'cycle_conflict',
              'The cycle does not wait for the results of these tool calls.',
            );
          }
          return { first: { type: 'tools_answered', results } };
        },
        payer,
      ),

    decide: (cycleId, input) =>
      goOn(
        cycleId,
        (cycle) => {
          if (cycle.outcome !== 'awaiting_decision') {
            throw new CccError('cycle_conflict', 'The cycle does not wait for a decision.');
          }
          const state = fromJson<MachineState>(cycle.machine);
          const waiting = state.drafts.find(({ round }) => round === state.delivered);
          if (waiting?.hash !== input.draftHash) {
            throw new CccError(
              'cycle_conflict',
              'The decision is about another draft than the one that waits.',
              { param: 'draft_hash' },
            );
          }
          return { first: { type: 'decided', decision: input.decision, text: input.text } };
        },
        input.payer,
      ),

    async drain(graceMs) {
      draining = true;
      shared?.stop();
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

/** A cycle that its server has left goes on, unless somebody has ended it meanwhile. */
function adopting({ outcome }: CycleRecord): { first?: MachineEvent } {
  if (outcome !== null) throw new CccError('cycle_conflict', `The cycle has ended: ${outcome}.`);
  return {};
}

async function drainSignals(signals: AsyncIterable<unknown>): Promise<void> {
  for await (const _signal of signals);
}

/** A cycle that nobody runs is cancelled too: one that a crash left open, or that waits for somebody. */
function cancelling({ outcome }: CycleRecord): { first?: MachineEvent; cancelled?: boolean } {
  if (outcome === null) return { cancelled: true };
  if (!mayGoOn(outcome as Outcome)) throw new CccError('cycle_conflict', `The cycle has ended: ${outcome}.`);
  const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
  return { first: { type: 'stopped', why: 'client_cancelled', call: null, usage, ms: 0 } };
}

function pendingIds(cycle: Pick<CycleRecord, 'machine'>): string[] {
  const call = pendingCall(fromJson<MachineState>(cycle.machine));
  return call ? callIdsOf(call) : [];
}
