import type { TurnRecord } from '../../store/records.ts';
import type { BuiltContext } from '../../memory/context/context-types.ts';

/** What becomes `memory_metadata`: what memory did for one request, and what of it is in the record. */
export class MemoryReport {
  /** Null when the record could not say which one is meant. */
  readonly sessionId: string | null;
  conversationId: string | null;
  context: BuiltContext | null = null;
  /** How long the context has taken, in milliseconds. */
  contextMs = 0;
  /** Only turns whose storing has been confirmed. */
  readonly turnIds: string[] = [];
  readonly #faults: string[] = [];
  #masked = 0;

  constructor(sessionId: string | null, conversationId: string | null) {
    this.sessionId = sessionId;
    this.conversationId = conversationId;
  }

  /** Notes turns that are in the record. */
  stored(turns: TurnRecord[]): void {
    for (const { turnId, metadata } of turns) {
      this.turnIds.push(turnId);
      this.#masked += Object.values((metadata['masked_secrets'] ?? {}) as Record<string, number>)
        .filter(Number.isSafeInteger)
        .reduce((sum, count) => sum + count, 0);
    }
  }

  /** Says in the reply that a part of memory did not work. */
  degrade(reason: string): void {
    if (!this.#faults.includes(reason)) this.#faults.push(reason);
  }

  toJson() {
    return {
      session_id: this.sessionId,
      conversation_id: this.conversationId,
      context_used: this.context?.prompt != null,
      relevant_turns: this.context?.prompt == null ? 0 : this.context.relevantTurns.length,
      context_tokens: this.context?.prompt == null ? 0 : this.context.tokenCount,
      turn_ids: this.turnIds,
      // Only where there were any: what is stored is then not what was said.
      ...(this.#masked > 0 ? { masked_secrets: this.#masked } : {}),
      degraded: this.#faults.length > 0 ? this.#faults.join('; ') : null,
    };
  }
}
