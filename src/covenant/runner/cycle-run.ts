import { CccError } from '../../base/ccc-error.ts';
import type { Clock } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import type { Logger } from '../../base/logger.ts';
import type { MemoryService, TurnInput } from '../../memory/memory-service.ts';
import { NO_USAGE, type ChatMessage } from '../../models/chat-types.ts';
import type { BudgetLimits } from '../../store/budget-store.ts';
import type { CycleCommit, CycleRecord } from '../../store/cycle-store.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { TurnRecord } from '../../store/records.ts';
import { runChecks } from '../checks/run-checks.ts';
import type { CycleResult, CycleSignal, RunningCycle } from '../cycle-service.ts';
import { budgetLimits, isLimited, overBudget, type ServerBudgets } from '../budgets.ts';
import { lessonsInCall } from '../learning/given-lessons.ts';
import { learnJobs } from '../learning/jobs.ts';
import { costOf, fitsBudget, msLeft, tokensLeft } from '../machine/budget.ts';
import type { CallKind, Command, MachineEvent, MachineState } from '../machine/state.ts';
import { agentOf, commandFor, step } from '../machine/step.ts';
import { PROMPT_VERSION, promptHash } from '../prompts/prompt.ts';
import type { Agents } from './agents.ts';
import { resultOf } from './cycle-result.ts';
import { MORE_MS, type Grant } from './call-limit.ts';
import { performCall } from './perform-call.ts';
import { estimateOf, promptFor, promptSize, reserveAfter, roughEstimateOf } from './prompt-for.ts';
import { SignalLog } from './signal-log.ts';
import { asJson, fromJson, type StoredRequest } from './stored-request.ts';
import { describeTransition, verdictText } from './telling.ts';

/** What a run stands on. */
export interface RunDeps {
  dal: Pick<MemoryDAL, 'cycles' | 'budgets'>;
  memory: Pick<MemoryService, 'prepareTurn' | 'jobsForTurns'>;
  agents: Agents;
  models: { beatrice: string | undefined; codey: string | undefined };
  /** The server's limits; none when absent. */
  budgets?: ServerBudgets;
  clock: Clock;
  logger: Logger;
}

type OutsideStop = 'client_cancelled' | 'drained';
type Call = Extract<Command, { type: CallKind }>;

type ToStore = Pick<CycleCommit, 'closeStep' | 'settle' | 'events' | 'jobs'> & { turns: TurnInput[] };

/** Estimated tokens of a call, and of what has to follow it: of a draft, its review. */
interface Needs {
  call: number;
  after: number;
}

const nothingToStore = (): ToStore => ({ turns: [], events: [], jobs: [] });

/** Events of a call that came to nothing. */
const FAILURES: ReadonlySet<MachineEvent['type']> = new Set(['call_failed', 'stopped', 'review_unreadable']);

/** The version of a cycle that is not in the record yet. */
export const NOT_RECORDED = 0;

/** Where a run begins: at the start, or where another one has left off. */
export interface RunFrom {
  /** Number of the last step that has a row. */
  stepNumber: number;
  /** Of the next step: 2 when the one that was open is called again. */
  attempt: number;
  /** A step without a result, of a process that is gone. */
  openStepId: string | null;
  /** Of a cycle that is not in the record yet: what is stored with its first step. */
  beginning?: Pick<ToStore, 'turns' | 'events'>;
  /** What lets a resting cycle go on. */
  first?: MachineEvent;
  /** Whose tokens it spends: who has asked for it here. A cycle that was taken over from another process is nobody's. */
  payer?: string | undefined;
}

/** One cycle at work in this process: it carries out what the machine asks for, and stores each step boundary. */
export class CycleRun implements RunningCycle {
  readonly cycleId: string;
  readonly sessionId: string;
  /** Number of the first step that this run makes, or closes after another process. */
  readonly fromStep: number;
  readonly done: Promise<CycleResult>;
  readonly #deps: RunDeps;
  readonly #request: StoredRequest;
  readonly #signals = new SignalLog();
  readonly #abort = new AbortController();
  /** What requests before this one have cost: each is told its own. */
  readonly #usageBefore: MachineState['usage'];
  readonly #cycle: CycleRecord;
  readonly #payer: string | undefined;
  /** Of the session and of the day. */
  readonly #limits: BudgetLimits;
  readonly #isLimited: boolean;
  #version: number;
  #toStore = nothingToStore();
  #state: MachineState;
  #stopReason: OutsideStop | null = null;
  #stepNumber: number;
  #attempt: number;
  /** Time that the record has set aside for the open call. */
  #grantedMs = 0;
  readonly #turns: TurnRecord[] = [];
  /** Resolves once the cycle is in the record; rejects when that has failed. */
  readonly recorded: Promise<void>;
  #isRecorded: () => void = () => undefined;

  constructor(deps: RunDeps, cycle: CycleRecord, from: RunFrom) {
    this.#deps = deps;
    this.#cycle = cycle;
    this.cycleId = cycle.cycleId;
    this.sessionId = cycle.sessionId;
    this.#request = fromJson<StoredRequest>(cycle.request);
    this.#state = fromJson<MachineState>(cycle.machine);
    this.#limits = budgetLimits(deps.budgets, this.#request.budget);
    this.#isLimited = isLimited(this.#limits);
    this.#usageBefore = this.#state.usage;
    this.#stepNumber = from.stepNumber;
    this.fromStep = from.openStepId === null ? from.stepNumber + 1 : from.stepNumber;
    this.#attempt = from.attempt;
    this.#payer = from.payer;
    this.#version = cycle.version;
    if (from.beginning) this.#toStore = { ...nothingToStore(), ...from.beginning };
    // The process that had this step open is gone: whatever comes next, its row is closed with it.
    if (from.openStepId !== null) {
      this.#toStore.closeStep = this.#closing(from.openStepId, 'failed', { error: 'interrupted' });
    }
    this.done = this.#run(from.first ?? null);
    // Whoever waits hears of a failure; nobody waiting is no reason to end the process.
    this.recorded = new Promise((resolve, reject) => {
      this.#isRecorded = resolve;
      this.done.catch(reject);
    });
    this.recorded.catch(() => undefined);
  }

  /** Whether the record does not know it yet. */
  get isNew(): boolean {
    return this.#version === NOT_RECORDED;
  }

  watch(listener: (signal: CycleSignal) => void): () => void {
    return this.#signals.watch(listener);
  }

  /** Says what was stored before this run began, so that a watcher misses nothing. */
  replay(events: Parameters<SignalLog['event']>[0][]): void {
    for (const event of events) this.#signals.event(event);
  }

  cancel(): void {
    this.#stop('client_cancelled', true);
  }

  /** Stops at the next step boundary; at once when `now` is set. */
  drain(now: boolean): void {
    this.#stop('drained', now);
  }

  #stop(reason: OutsideStop, now: boolean): void {
    this.#stopReason ??= reason;
    if (now) this.#abort.abort(new Error(reason));
  }

  async #run(first: MachineEvent | null): Promise<CycleResult> {
    try {
      // Whoever made this run can first tell it what was stored before it began.
      await Promise.resolve();
      if (this.#state.status === 'received') this.#state = step(this.#state, { type: 'started' }).state;
      let command: Command = first ? this.#advance(first, null) : commandFor(this.#state);
      while (command.type !== 'rest') command = await this.#perform(command);
      await this.#commit({});
      return resultOf(this.cycleId, this.#state, this.#turns, this.#usageBefore);
    } catch (error) {
      // Its session was erased under it: that is no fault.
      const level = error instanceof CccError && error.code === 'cycle_not_found' ? 'info' : 'error';
      this.#deps.logger[level]({ err: error, cycle_id: this.cycleId }, 'a cycle could not go on');
      throw error;
    }
  }

  /** Carries out one command. Returns the next one. */
  async #perform(command: Exclude<Command, { type: 'rest' }>): Promise<Command> {
    if (command.type === 'check') return this.#advance(this.#check(), null);
    const obstacle = this.#obstacle(command);
    if (obstacle) return this.#advance(obstacle, null);
    const { type } = command;
    const messages = promptFor(command, this.#state, this.#request);
    const needs = this.#needs(type, messages);
    if (!fitsBudget(this.#state, type, needs.call, needs.after)) {
      return this.#advance({ type: 'over_budget', call: type }, null);
    }
    let stepId: string;
    try {
      stepId = await this.#openStep(command, messages, needs);
    } catch (error) {
      const refused = overBudget(error, type, this.#deps.clock.now());
      if (!refused) throw error;
      return this.#advance(refused, null);
    }
    return this.#advance(await this.#call(command, messages, needs), stepId);
  }

  /** Estimated tokens of a call, and of what has to follow it. */
  #needs(call: CallKind, messages: ChatMessage[]): Needs {
    // Counting tokens is most of what a step costs here: without a limit nothing depends on it.
    if (this.#state.limits.maxTotalTokens === null && !this.#isLimited) {
      return { call: roughEstimateOf(call, messages, this.#request), after: 0 };
    }
    return {
      call: estimateOf(call, messages, this.#request),
      after: reserveAfter(call, this.#state, this.#request),
    };
  }

  /** Why a call is not begun. */
  #obstacle(command: Call): MachineEvent | null {
    const nothing = { usage: NO_USAGE, ms: 0, call: null };
    if (this.#stopReason !== null) return { type: 'stopped', why: this.#stopReason, ...nothing };
    const outOfTime = msLeft(this.#state) === 0 && command.type !== 'guide';
    return outOfTime ? { type: 'stopped', why: 'time_budget', ...nothing } : null;
  }

  #check(): MachineEvent {
    const draft = this.#state.drafts.at(-1);
    if (!draft) throw new CccError('internal_error', 'A check without a draft.');
    const { toolMessages } = this.#state;
    return { type: 'checked', results: runChecks(draft, { ...this.#request, toolMessages }) };
  }

  /** Writes the row of a step, together with what the step before it has left to be stored. */
  async #openStep(command: Call, messages: ChatMessage[], needs: Needs): Promise<string> {
    const stepId = newId('step');
    const agent = agentOf(command.type);
    const model = this.#model(agent);
    const attempt = this.#attempt;
    const started = { step: command.type, agent, round: command.round, attempt, model };
    await this.#commit({
      events: [{ type: 'step_started', data: started }],
      reserve: {
        tokens: needs.call + needs.after,
        callTokens: needs.call,
        ms: MORE_MS,
        // The guidance is for a draft: without room for one it is not worth its price.
        rounds: command.type === 'review' ? 0 : 1,
        limits: this.#limits,
      },
      openStep: {
        stepId,
        stepNumber: this.#stepNumber + 1,
        kind: command.type,
        agent,
        round: command.round,
        attempt,
        input: {
          prompt_hash: promptHash(messages),
          prompt_version: PROMPT_VERSION,
          model,
          context_turn_ids: this.#request.contextTurnIds,
          ...this.#lessonIds(command.type),
          ...(command.repair ? { repair: true } : {}),
        },
        startedAt: this.#deps.clock.now(),
      },
    });
    this.#stepNumber += 1;
    this.#attempt = 1;
    return stepId;
  }

  #lessonIds(call: CallKind): { lesson_ids?: string[] } {
    const lessons = lessonsInCall(call, this.#request.lessons);
    return lessons.length === 0 ? {} : { lesson_ids: lessons.map(({ lessonId }) => lessonId) };
  }

  async #call(command: Call, messages: ChatMessage[], needs: Needs): Promise<MachineEvent> {
    const { type } = command;
    const left = tokensLeft(this.#state, type, needs.after);
    return performCall(this.#deps, {
      cycleId: this.cycleId,
      kind: type,
      model: this.#model(agentOf(type)),
      messages,
      stored: this.#request,
      signal: this.#abort.signal,
      lane: `session ${this.#cycle.sessionId}`,
      payer: this.#payer,
      stopReason: () => this.#stopReason ?? 'client_cancelled',
      tokensLeft: left === null ? null : left - promptSize(type, messages, this.#request),
      msLeft: msLeft(this.#state),
      grant: this.#isLimited ? this.#grantOf(type, messages, needs) : null,
      // A verdict is JSON while it is written; it is told in words when it is complete.
      onText: (text) => {
        if (type !== 'review') this.#delta(command, text);
      },
    });
  }

  /** What has just been set aside for a call, for its answer. */
  #grantOf(call: CallKind, messages: ChatMessage[], needs: Needs): Grant {
    const { sessionId, cycleId } = this.#cycle;
    const { budgets } = this.#deps.dal;
    const limits = this.#limits;
    return {
      tokens: needs.call - promptSize(call, messages, this.#request),
      ms: this.#grantedMs,
      extend: (more) => budgets.extend({ sessionId, cycleId, ...more, limits }),
    };
  }

  #delta(command: { type: CallKind; round: number }, text: string): void {
    const step = ({ guide: 'guidance', draft: 'draft', review: 'verdict' } as const)[command.type];
    this.#signals.delta({ kind: 'delta', agent: agentOf(command.type), round: command.round, step, text });
  }

  /** Applies an event. What follows from it is stored at once when the cycle rests, else with the next step's row. */
  #advance(event: MachineEvent, stepId: string | null): Command {
    const before = this.#state;
    const { state, command } = step(before, event);
    this.#state = state;
    if (stepId !== null) this.#toStore.settle = costOf(before, state);
    if (event.type === 'reviewed' && state.unreadable === null) {
      this.#delta({ type: 'review', round: state.drafts.length }, verdictText(event.verdict));
    }
    // A check costs nothing and is made again after a crash: what came of it is stored with its draft.
    const checked = command.type === 'check' ? step(state, this.#check()) : null;
    if (checked) this.#state = checked.state;
    this.#note(event, stepId);
    return checked?.command ?? command;
  }

  /** Keeps what an event leaves for the record. */
  #note(event: MachineEvent, stepId: string | null): void {
    const { turns, events, output } = describeTransition(event, this.#state, this.#request);
    const { memory } = this.#deps;
    if (stepId !== null) {
      const failed = FAILURES.has(event.type) || this.#state.unreadable !== null;
      this.#toStore.closeStep = this.#closing(stepId, failed ? 'failed' : 'done', output);
    }
    const said = { timestamp: this.#deps.clock.now(), cycleId: this.cycleId };
    this.#toStore.turns.push(...turns.map((turn) => ({ ...said, ...turn })));
    this.#toStore.events.push(...events);
    if (this.#state.outcome !== null && this.#request.storeTurns) {
      this.#toStore.jobs.push(...memory.jobsForTurns(this.#cycle.conversationId));
    }
    const ended = { cycleId: this.cycleId, state: this.#state, stored: this.#request };
    this.#toStore.jobs.push(...learnJobs(ended, said.timestamp));
  }

  #closing(stepId: string, status: 'done' | 'failed', output: object): NonNullable<CycleCommit['closeStep']> {
    return { stepId, status, output: asJson(output), endedAt: this.#deps.clock.now() };
  }

  /** One step boundary, in one transaction; then those who watch are told. */
  async #commit(
    more: Pick<CycleCommit, 'openStep' | 'reserve'> & Partial<Pick<ToStore, 'events'>>,
  ): Promise<void> {
    const toStore = this.#toStore;
    const { dal, memory } = this.#deps;
    const { cycles } = dal;
    const turns = await Promise.all(toStore.turns.map((turn) => memory.prepareTurn(turn)));
    const { outcome, status } = this.#state;
    const now = this.#deps.clock.now();
    const events = [...toStore.events, ...(more.events ?? [])];
    const common = { ...toStore, ...more, turns, events, status, outcome, machine: asJson(this.#state) };
    const { sessionId, conversationId, request, createdAt } = this.#cycle;
    const { cycleId } = this;
    const committed =
      this.#version === NOT_RECORDED
        ? await cycles.create({ ...common, sessionId, conversationId, cycleId, request, createdAt })
        : await cycles.commit({ ...common, sessionId, cycleId, expectedVersion: this.#version, now });
    // Only now: what a budget has refused is stored with the end of the cycle.
    this.#toStore = nothingToStore();
    this.#version += 1;
    this.#grantedMs = committed.grantedMs;
    this.#isRecorded();
    this.#turns.push(...committed.turns);
    for (const event of committed.events) this.#signals.event(event);
  }

  #model(agent: 'beatrice' | 'codey'): string {
    return this.#request.models?.[agent] ?? this.#deps.models[agent] ?? this.#request.request.model;
  }
}
