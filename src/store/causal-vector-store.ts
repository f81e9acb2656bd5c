/** The embeddings of events. All vectors have length 1; only those of one model are compared, by the projection. */
export interface CausalVectorStore {
  /** The next events of a session that this model has not embedded, or whose text has changed since, by change. */
  pending(input: {
    sessionId: string;
    model: string;
    limit: number;
  }): Promise<{ eventNo: number; changeSeq: number; text: string }[]>;
  /**
   * Stores vectors, in place of those of another model, and that the session is embedded through a change of its events.
   * An empty vector says that the event has none. Each is a change of the session, which the projection follows; an
   * event that has changed or gone since it was read is passed over.
   * False, and nothing stored, when the session is gone.
   */
  write(input: {
    sessionId: string;
    model: string;
    throughSeq: number;
    vectors: { eventNo: number; changeSeq: number; vector: Float32Array }[];
  }): Promise<boolean>;
  /** Whether any event of the session has been embedded by this model. */
  any(sessionId: string, model: string): Promise<boolean>;
  /**
   * What changed after watermark `after`, oldest first: at most `limit` vectors. The watermarks are those of the session's
   * causal memory.
   */
  changesSince(sessionId: string, after: number, limit: number): Promise<VectorChanges>;
  /** Sessions with events that this model has not embedded, by id. */
  outdated(input: { model: string; after: string | null; limit: number }): Promise<string[]>;
}

/** Everything that changed in a session's vectors after a watermark. */
export interface VectorChanges {
  vectors: ChangedVectors;
  /** Events that are gone, and their vectors with them. */
  removedEvents: Int32Array;
  /** The watermark after these changes. */
  through: number;
  more: boolean;
}

/** Vectors that are new or changed, packed, for a projection. One of dimension 0 takes the place of one before it. */
export interface ChangedVectors {
  nos: Int32Array;
  /** What made each: places in `names`. */
  models: Int32Array;
  names: string[];
  dimensions: Int32Array;
  /** The vectors one after the other. */
  values: Float32Array;
}
