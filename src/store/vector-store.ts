/** The embeddings of turns. All vectors have length 1; only those of one model and one dimension are compared. */
export interface VectorStore {
  /** The next turns of a conversation that this model has not embedded, in order. */
  pending(input: {
    sessionId: string;
    conversationId: string;
    model: string;
    limit: number;
  }): Promise<{ turnNumber: number; content: string }[]>;
  /**
   * Stores vectors, in place of those of another model, and that the conversation is embedded through a turn. An empty
   * vector says that the turn has none.
   * False, and nothing stored, when the conversation is gone.
   */
  write(input: {
    sessionId: string;
    conversationId: string;
    model: string;
    throughTurn: number;
    vectors: { turnNumber: number; vector: Float32Array }[];
  }): Promise<boolean>;
  /**
   * The cosine of each vector of the session with this one. Null: there is more to read than is read in one call; call
   * again. What was read stays in memory, within a bound.
   */
  compare(input: { sessionId: string; model: string; vector: Float32Array }): Promise<Similarities | null>;
  /** Conversations with turns that this model has not embedded, in the order of their ids, after a place in that order. */
  outdated(input: {
    model: string;
    after: ConversationPlace | null;
    limit: number;
  }): Promise<ConversationPlace[]>;
}

export interface ConversationPlace {
  sessionId: string;
  conversationId: string;
}

/** Entry i: the turn of that conversation and number is this similar, from -1 to 1. In no order that counts. */
export interface Similarities {
  conversations: Int32Array;
  turns: Int32Array;
  cosines: Float32Array;
}
