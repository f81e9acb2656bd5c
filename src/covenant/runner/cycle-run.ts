import { createHash } from 'node:crypto';
import { CccError } from '../../base/ccc-error.ts';
import type { Clock } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import type { Logger } from '../../base/logger.ts';
import type { MemoryService } from '../../memory/memory-service.ts';
import { promptTokens } from '../../models/chat-result.ts';
import { NO_USAGE, type ChatMessage, type Usage } from '../../models/chat-types.ts';
import { UpstreamError } from '../../models/upstream-error.ts';
import type { CycleCommit, CycleRecord } from '../../store/cycle-store.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { TurnRecord } from '../../store/records.ts';
import { runChecks } from '../checks/run-checks.ts';
import type { CycleResult, CycleSignal, RunningCycle } from '../cycle-service.ts';
import { addUsage, fitsBudget } from '../machine/budget.ts';
import type { CallKind, Command, MachineEvent, MachineState, UpstreamFault } from '../machine/state.ts';
import { agentOf, commandFor, step } from '../machine/step.ts';
import { draftPrompt } from '../prompts/draft.ts';
import { guidancePrompt } from '../prompts/guidance.ts';
import { PROMPT_VERSION, promptHash } from '../prompts/prompt.ts';
import { verdictPrompt } from '../prompts/verdict.ts';
import type { Agents } from './agents.ts';
import { resultOf } from './cycle-result.ts';
import { SignalLog } from './signal-log.ts';
import { asJson, fromJson, type StoredRequest } from './stored-request.ts';
import { describeTransition, verdictText } from './telling.ts';

/** What a run stands on. */
export interface RunDeps {
  dal: Pick<MemoryDAL, 'cycles'>;
  memory: Pick<MemoryService, 'prepareTurn' | 'jobsForTurns'>;
  agents: Agents;
  models: { beatrice: string | undefined; codey: string | undefined };
  clock: Clock;
  logger: Logger;
}

/** Tokens a call may answer with when the request sets no limit: what is reserved, not what is allowed. */
const ANSWER_RESERVE = { guide: 300, draft: 1_000, review: 600 } as const;

type StopReason = 'client_cancelled' | 'drained';

interface OpenStep {
  stepId: string;
  call: CallKind;
}

/** One cycle at work in this process: it carries out what the machine asks for, and stores each step boundary. */
export class CycleRun implements RunningCycle {
  readonly cycleId: string;
  readonly done: Promise<CycleResult>;
  readonly #deps: RunDeps;
  readonly #request: StoredRequest;
  readonly #signals = new SignalLog();
  readonly #abort = new AbortController();
  #cycle: CycleRecord;
  #state: MachineState;
  #stopReason: StopReason | null = null;
  #spentInCall: Usage = NO_USAGE;
  #stepNumber: number;
  #attempt: number;
  readonly #turns: TurnRecord[];

  constructor(
    deps: RunDeps,
    cycle: CycleRecord,
    from: {
      stepNumber: number;
      attempt: number;
      openStepId: string | null;
      turns: TurnRecord[];
      decision?: MachineEvent;
    },
  ) {
    this.#deps = deps;
    this.#cycle = cycle;
    this.cycleId = cycle.cycleId;
    this.#request = fromJson<StoredRequest>(cycle.request);
    this.#state = fromJson<MachineState>(cycle.machine);
    this.#stepNumber = from.stepNumber;
    this.#attempt = from.attempt;
    this.#turns = [...from.turns];
    this.done = this.#run(from.openStepId, from.decision ?? null);
    // Whoever waits hears of a failure; nobody waiting is no reason to end the process.
    this.done.catch(() => undefined);
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

  #stop(reason: StopReason, now: boolean): void {
    this.#stopReason ??= reason;
    if (now) this.#abort.abort(new Error(reason));
  }

  async #run(interruptedStepId: string | null, decision: MachineEvent | null): Promise<CycleResult> {
    try {
      // Whoever made this run can first tell it what was stored before it began.
      await Promise.resolve();
      if (this.#state.status === 'received') this.#state = step(this.#state, { type: 'started' }).state;
      let command: Command = decision ? await this.#advance(decision, null, null) : commandFor(this.#state);
      let interrupted = interruptedStepId;
      while (command.type !== 'rest') {
        command = await this.#perform(command, interrupted);
        interrupted = null;
      }
      return resultOf(this.cycleId, this.#state, this.#turns);
    } catch (error) {
      this.#deps.logger.error({ err: error, cycle_id: this.cycleId }, 'a cycle could not go on');
      throw error;
    }
  }

  /** Carries out one command and stores what came of it. Returns the next one. */
  async #perform(
    command: Exclude<Command, { type: 'rest' }>,
    interruptedStepId: string | null,
  ): Promise<Command> {
    if (command.type === 'check') return this.#advance(this.#check(), null, null);
    if (this.#stopReason !== null) {
      return this.#advance(
        { type: 'stopped', why: this.#stopReason, call: null, usage: NO_USAGE },
        null,
        interruptedStepId,
      );
    }
    const messages = this.#prompt(command);
    const estimate = promptTokens(messages) + this.#answerReserve(command.type);
    if (!fitsBudget(this.#state, command.type, estimate)) {
      return this.#advance({ type: 'over_budget', call: command.type }, null, interruptedStepId);
    }
    const open = await this.#openStep(command, messages, interruptedStepId);
    return this.#advance(await this.#call(command, messages), open, null);
  }

  #check(): MachineEvent {
    const draft = this.#state.drafts.at(-1);
    if (!draft) throw new CccError('internal_error', 'A check without a draft.');
    return { type: 'checked', results: runChecks(draft, this.#request.request) };
  }

  async #openStep(
    command: { type: CallKind; round: number },
    messages: ChatMessage[],
    interruptedStepId: string | null,
  ): Promise<OpenStep> {
    const stepId = newId('step');
    const agent = agentOf(command.type);
    const input = {
      prompt_hash: promptHash(messages),
      prompt_version: PROMPT_VERSION,
      model: this.#model(agent),
      context_turn_ids: this.#request.contextTurnIds,
    };
    await this.#commit({
      ...(interruptedStepId === null
        ? {}
        : { closeStep: this.#closing(interruptedStepId, 'failed', { error: 'interrupted' }) }),
      openStep: {
        stepId,
        stepNumber: ++this.#stepNumber,
        kind: command.type,
        agent,
        round: command.round,
        attempt: this.#attempt,
        input,
        startedAt: this.#deps.clock.now(),
      },
      turns: [],
      events: [
        {
          type: 'step_started',
          data: {
            step: command.type,
            agent,
            round: command.round,
            attempt: this.#attempt,
            model: input.model,
          },
        },
      ],
      jobs: [],
    });
    this.#attempt = 1;
    return { stepId, call: command.type };
  }

  async #call(command: { type: CallKind; round: number }, messages: ChatMessage[]): Promise<MachineEvent> {
    this.#spentInCall = NO_USAGE;
    const { agents } = this.#deps;
    const call = {
      messages,
      signal: this.#abort.signal,
      onText: (text: string) => {
        // A verdict is JSON while it is written; it is told in words when it is complete.
        if (command.type !== 'review') this.#delta(command, text);
      },
      onUsage: (usage: Usage) => {
        this.#spentInCall = addUsage(this.#spentInCall, usage);
      },
    };
    try {
      if (command.type === 'guide') {
        const { content, usage } = await agents.guide(this.#model('beatrice'), call);
        return { type: 'guided', guidance: content, usage };
      }
      if (command.type === 'draft') {
        const drafted = await agents.draft(this.#request.request, this.#model('codey'), call);
        const hash = createHash('sha256').update(drafted.content).digest('hex');
        const { content: text, finishReason, usage } = drafted;
        return { type: 'drafted', text, hash, finishReason, model: drafted.completion.model, usage };
      }
      const review = await agents.review(this.#model('beatrice'), call);
      if (!review.ok) return { type: 'review_unreadable', problem: review.problem, usage: review.usage };
      this.#delta(command, verdictText(review.verdict));
      return { type: 'reviewed', verdict: review.verdict, usage: review.usage };
    } catch (error) {
      if (this.#abort.signal.aborted) {
        const why = this.#stopReason ?? 'client_cancelled';
        return { type: 'stopped', why, call: command.type, usage: this.#spentInCall };
      }
      return { type: 'call_failed', call: command.type, fault: faultOf(error), usage: this.#spentInCall };
    }
  }

  #delta(command: { type: CallKind; round: number }, text: string): void {
    const step = ({ guide: 'guidance', draft: 'draft', review: 'verdict' } as const)[command.type];
    this.#signals.delta({ kind: 'delta', agent: agentOf(command.type), round: command.round, step, text });
  }

  /** Applies an event and stores all that follows from it in one transaction. */
  async #advance(
    event: MachineEvent,
    closing: OpenStep | null,
    interruptedStepId: string | null,
  ): Promise<Command> {
    const { state, command } = step(this.#state, event);
    this.#state = state;
    // A check costs nothing and is made again after a crash: it has no boundary of its own.
    if (event.type === 'drafted') {
      const checked = step(state, this.#check());
      this.#state = checked.state;
      await this.#store(event, closing, interruptedStepId);
      return checked.command;
    }
    await this.#store(event, closing, interruptedStepId);
    return command;
  }

  async #store(
    event: MachineEvent,
    closing: OpenStep | null,
    interruptedStepId: string | null,
  ): Promise<void> {
    const { turns, events, output } = describeTransition(event, this.#state, this.#request);
    const stepId = closing?.stepId ?? interruptedStepId;
    const failed =
      event.type === 'call_failed' || event.type === 'stopped' || event.type === 'review_unreadable';
    const ended = this.#state.outcome !== null;
    await this.#commit({
      ...(stepId === null
        ? {}
        : { closeStep: this.#closing(stepId, failed || closing === null ? 'failed' : 'done', output) }),
      turns: turns.map((turn) => this.#deps.memory.prepareTurn({ ...turn, cycleId: this.cycleId })),
      events,
      jobs:
        ended && this.#request.storeTurns ? this.#deps.memory.jobsForTurns(this.#cycle.conversationId) : [],
    });
  }

  #closing(stepId: string, status: 'done' | 'failed', output: object): NonNullable<CycleCommit['closeStep']> {
    return { stepId, status, output: asJson(output), endedAt: this.#deps.clock.now() };
  }

  async #commit(
    part: Pick<CycleCommit, 'openStep' | 'closeStep' | 'turns' | 'events' | 'jobs'>,
  ): Promise<void> {
    const committed = await this.#deps.dal.cycles.commit({
      ...part,
      sessionId: this.#cycle.sessionId,
      cycleId: this.cycleId,
      expectedVersion: this.#cycle.version,
      status: this.#state.status,
      outcome: this.#state.outcome,
      machine: asJson(this.#state),
      now: this.#deps.clock.now(),
    });
    this.#cycle = committed.cycle;
    this.#turns.push(...committed.turns);
    for (const event of committed.events) this.#signals.event(event);
  }

  #prompt(command: { type: CallKind }): ChatMessage[] {
    const { directive, memory, request } = this.#request;
    const { criteria, guidance, drafts, steer } = this.#state;
    const common = { directive, memory, messages: request.messages, criteria, guidance };
    if (command.type === 'guide') return guidancePrompt(common);
    const draft = drafts.at(-1) ?? null;
    if (command.type === 'draft') return draftPrompt({ ...common, last: draft, steer });
    if (!draft) throw new CccError('internal_error', 'A review without a draft.');
    return verdictPrompt({ ...common, draft, openIssues: drafts.at(-2)?.review?.open ?? [] });
  }

  #model(agent: 'beatrice' | 'codey'): string {
    return this.#deps.models[agent] ?? this.#request.request.model;
  }

  #answerReserve(call: CallKind): number {
    const { max_completion_tokens: newer, max_tokens: older } = this.#request.request;
    const limit = newer ?? older;
    return call === 'draft' && typeof limit === 'number' ? limit : ANSWER_RESERVE[call];
  }
}

function faultOf(error: unknown): UpstreamFault {
  if (error instanceof UpstreamError)
    return { status: error.status, error: error.error, headers: error.headers };
  const known =
    error instanceof CccError ? error : new CccError('internal_error', undefined, { cause: error });
  return { status: known.status, error: { ...known.toBody().error }, headers: {} };
}
