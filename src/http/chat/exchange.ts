import type { Logger } from '../../base/logger.ts';
import type { MemoryService, TurnInput } from '../../memory/memory-service.ts';
import type { ChatMessage } from '../../models/chat-types.ts';
import type { JsonObject } from '../../store/records.ts';
import { describeToolCalls, type Answer } from './answer.ts';
import { isFull, noteFault } from './faults.ts';
import type { MemoryReport } from './memory-report.ts';
import { messageText, type Directive } from './messages.ts';
import type { Thread } from './threads.ts';
import { TookTooLong, withinTime } from './within-time.ts';

const FAILED = 'the exchange could not be stored';
const LATE = 'the exchange could not be stored in time, and may be stored later';

/** Why an answer in the record is not whole. */
export type Incomplete = 'client_cancelled' | 'upstream_broke_off';

/**
 * Stores one exchange of `direct` mode: the directive while the upstream is at work, as the first turn of a new
 * conversation where there is none yet; then the tool results that the client brought and the answer, together. Nothing here rejects: what fails is logged and said in the report.
 */
export class Exchange {
  readonly #memory: MemoryService;
  readonly #report: MemoryReport;
  readonly #logger: Logger;
  readonly #sessionId: string;
  /** What a conversation that begins with this exchange begins with. */
  readonly #opening: string;
  readonly #toolResults: TurnInput[];
  readonly #limitMs: number;
  /** Null once it is stored. */
  #directive: TurnInput | null;
  #directiveStored: Promise<void> = Promise.resolve();
  #finished = false;

  constructor(input: {
    memory: MemoryService;
    report: MemoryReport;
    logger: Logger;
    sessionId: string;
    thread: Thread;
    directive: Directive;
    messages: ChatMessage[];
    now: number;
    limitMs: number;
  }) {
    this.#memory = input.memory;
    this.#report = input.report;
    this.#logger = input.logger;
    this.#sessionId = input.sessionId;
    this.#opening = input.directive.text;
    this.#limitMs = input.limitMs;
    this.#toolResults = toolResultTurns(input.messages, input.directive);
    this.#directive = input.thread.directive
      ? null
      : {
          agent: 'wykeve',
          kind: 'directive',
          content: input.directive.text,
          speaker: input.directive.speaker,
          timestamp: input.now,
          metadata: directiveMetadata(input.directive, input.thread.threadKey),
        };
    if (input.thread.directive) input.report.turnIds.push(input.thread.directive.turnId);
  }

  /**
   * Begins to store the directive. Resolves when it is stored, or when it is clear that it will not be in time: until
   * then a new conversation has no id that could be told.
   */
  async begin(): Promise<void> {
    const directive = this.#directive;
    if (!directive) return;
    this.#directiveStored = this.#write([directive])
      .then(() => {
        this.#directive = null;
      })
      .catch((error: unknown) => {
        // The answer's storing tries again.
        if (!isFull(error)) this.#logger.warn({ err: error }, 'the directive could not be stored yet');
      });
    // What takes longer is waited for when the answer is stored.
    await withinTime(this.#directiveStored, this.#limitMs).catch(() => undefined);
  }

  /**
   * Stores what came back. Resolves when it is durable, or when it is clear that it will not be in time.
   * @param limitMs longest wait, where that is shorter than usual, in milliseconds
   */
  async finish(answer: Answer | null, incomplete: Incomplete | null, limitMs = this.#limitMs): Promise<void> {
    if (this.#finished) return;
    this.#finished = true;
    const [sessionId, logger, report] = [this.#sessionId, this.#logger, this.#report];
    const storing = this.#store(answer, incomplete);
    try {
      await withinTime(storing, Math.min(limitMs, this.#limitMs));
    } catch (error) {
      const isLate = error instanceof TookTooLong;
      noteFault({ sessionId, logger, report }, error, isLate ? LATE : FAILED);
      if (isLate) this.#tellLater(storing);
    }
  }

  /** Nobody waits for it any more: the log says what came of it. */
  #tellLater(storing: Promise<void>): void {
    const about = { session_id: this.#sessionId };
    storing.then(
      () => {
        this.#logger.info(about, 'the exchange was stored late');
      },
      (error: unknown) => {
        this.#logger.error({ err: error, ...about }, FAILED);
      },
    );
  }

  async #store(answer: Answer | null, incomplete: Incomplete | null): Promise<void> {
    await this.#directiveStored;
    const turns = [...(this.#directive ? [this.#directive] : [])];
    const answered = answer ? answerTurn(answer, incomplete) : null;
    if (answered) turns.push(...this.#toolResults, answered);
    if (turns.length > 0) await this.#write(turns);
  }

  async #write(turns: TurnInput[]): Promise<void> {
    const report = this.#report;
    const sessionId = this.#sessionId;
    const { conversationId } = report;
    if (conversationId === null) {
      const begun = await this.#memory.createConversation({ sessionId, directive: this.#opening, turns });
      report.conversationId = begun.conversation.conversationId;
      report.stored(begun.turns);
      return;
    }
    const stored = await this.#memory.appendTurns({ sessionId, conversationId, turns });
    report.stored(stored.turns);
  }
}

/** What is kept with a directive: its thread key, and a note of each image or file that came with it. */
export function directiveMetadata(directive: Directive, threadKey: string): JsonObject {
  return {
    thread_key: threadKey,
    ...(directive.attachments.length > 0 ? { attachments: directive.attachments } : {}),
  };
}

/** The results that are new in this request: those after the last answer; earlier ones are in the record already. */
function toolResultTurns(messages: ChatMessage[], directive: Directive): TurnInput[] {
  const answered = messages.findLastIndex((message) => message.role === 'assistant');
  return messages
    .slice(Math.max(answered, directive.index) + 1)
    .filter((message) => message.role === 'tool' || message.role === 'function')
    .map((message) => {
      const { text, attachments } = messageText(message);
      return {
        agent: 'codey' as const,
        kind: 'tool' as const,
        content: text,
        metadata: {
          tool_result: true,
          ...(typeof message.tool_call_id === 'string' ? { tool_call_id: message.tool_call_id } : {}),
          ...(attachments.length > 0 ? { attachments } : {}),
        },
      };
    });
}

/** Null when there is nothing worth keeping: the upstream broke off before it said anything. */
function answerTurn(answer: Answer, incomplete: Incomplete | null): TurnInput | null {
  const { text, toolCalls } = answer;
  if (text === '' && toolCalls.length === 0) return null;
  const metadata: JsonObject = {};
  if (typeof answer.envelope.model === 'string') metadata['model'] = answer.envelope.model;
  if (answer.finishReason !== null) metadata['finish_reason'] = answer.finishReason;
  if (answer.usage) metadata['usage'] = answer.usage;
  if (answer.choices > 1) metadata['choices'] = answer.choices;
  if (answer.refused) metadata['refusal'] = true;
  if (incomplete !== null) metadata['incomplete'] = incomplete;
  if (toolCalls.length === 0) return { agent: 'codey', kind: 'answer', content: text, metadata };
  metadata['tool_calls'] = toolCalls;
  const content = [text, describeToolCalls(toolCalls)].filter(Boolean).join('\n');
  return { agent: 'codey', kind: 'tool', content, metadata };
}
