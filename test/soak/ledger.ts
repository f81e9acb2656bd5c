/** What the server has acknowledged to one conversation's client, and what that client has sent. */
export interface ConversationLedger {
  conversationId: string;
  /** Ids of turns that the server says are stored. */
  turnIds: Set<string>;
  /** Texts whose storing was acknowledged: there once, and once only. */
  acknowledged: Set<string>;
  /** Texts that were sent and of which nothing was heard: there once, or not at all. */
  unheard: Set<string>;
}

export interface SessionLedger {
  sessionId: string;
  /** Whatever was sent to it, in any conversation: nothing may be there twice. */
  conversations: Map<string, ConversationLedger>;
  /** Cycles whose end was told. */
  cycles: Set<string>;
}

/** All that clients were told, to be held against the record afterwards. */
export class Ledger {
  readonly sessions = new Map<string, SessionLedger>();
  /** Sessions whose erasure was acknowledged. */
  readonly erased = new Set<string>();
  readonly faults: string[] = [];
  readonly counts: Record<string, number> = {};

  session(sessionId: string): SessionLedger {
    const session: SessionLedger = { sessionId, conversations: new Map(), cycles: new Set() };
    this.sessions.set(sessionId, session);
    return session;
  }

  conversation(session: SessionLedger, conversationId: string): ConversationLedger {
    let conversation = session.conversations.get(conversationId);
    if (!conversation) {
      conversation = { conversationId, turnIds: new Set(), acknowledged: new Set(), unheard: new Set() };
      session.conversations.set(conversationId, conversation);
    }
    return conversation;
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  fault(what: string): void {
    this.faults.push(what);
  }
}
