/** What cycles did and what calls cost, after a watermark, packed for a projection. */
export interface ActivityChanges {
  /** Cycles that are new or changed. */
  cycles: CycleFacts[];
  /** Calls of changed cycles, and changed answers without a cycle, that say what they cost. */
  calls: CallFacts[];
  /** Numbers of everything that changed, also of what is gone: their earlier rows no longer count. */
  changed: number[];
  /** The watermark after these changes. */
  through: number;
  more: boolean;
}

export interface CycleFacts {
  /** Stands for the cycle in derived data; never given twice in a session. */
  activityNo: number;
  /** Null while it runs. */
  outcome: string | null;
  /** Drafts written. */
  rounds: number;
  /** Time spent in its calls, in milliseconds: what it waited for a person or for tools does not count. */
  workedMs: number;
  createdAt: number;
  updatedAt: number;
}

export interface CallFacts {
  /** Of its cycle, or of the answer itself. */
  activityNo: number;
  agent: string;
  at: number;
  promptTokens: number;
  completionTokens: number;
  totalTokens: number;
}

/** How far a session's activity has come. */
export interface ActivityHead {
  sessionId: string;
  /** Stands for the session in derived data; never given to another one. */
  sessionKey: number;
  changeSeq: number;
}

/** Cycles and costs as the analytics count them. The facts are those of turns and cycles; nothing is written here. */
export interface ActivityStore {
  /** What changed after watermark `after`, oldest first, about `limit` cycles and answers. */
  changesSince(sessionId: string, after: number, limit: number): Promise<ActivityChanges>;
  /** Null for a session that is not there; a watermark of 0 for one without activity. */
  head(sessionId: string): Promise<ActivityHead | null>;
  /** Sessions that have any, by key. */
  heads(afterKey: number, limit: number): Promise<ActivityHead[]>;
}
