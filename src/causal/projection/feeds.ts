import type { ActivityStore } from '../../store/activity-store.ts';
import type { Duck } from './duckdb.ts';
import { followOnce, forget, type FollowedStore } from './follow.ts';
import { followVectorsOnce, forgetVectors, type FollowedVectors } from './follow-vectors.ts';
import { followActivityOnce, forgetActivity } from './follow-activity.ts';

/** An opened projection, and how many changes of causes are in it, of all sessions. */
export interface Open {
  duck: Duck;
  inFile: boolean;
  through: number;
  /** Sessions whose causes are known to be up to date: at which change, and which session. Spares a look. */
  current: Map<number, { changeSeq: number; sessionId: string }>;
  /** The same for vectors. */
  meant: Map<number, { changeSeq: number; sessionId: string }>;
}

/** Sessions that are remembered as up to date. */
const MOST_CURRENT = 10_000;

export interface Head {
  sessionId: string;
  sessionKey: number;
  changeSeq: number;
}

/** One kind of facts that the projection follows, by a watermark of its own for each session. */
export interface Feed {
  /** The table of its watermarks. */
  table: 'heads' | 'activity_heads' | 'vector_heads';
  head(sessionId: string): Promise<Head | null>;
  /** Sessions with anything to follow, by key. */
  heads(afterKey: number, limit: number): Promise<Head[]>;
  /** Takes in the next piece; whether there is more. */
  follow(open: Open, head: Head): Promise<boolean>;
  forget(open: Open, sessionKey: number): Promise<void>;
}

export function causalFeed(store: FollowedStore): Feed {
  return {
    table: 'heads',
    head: (sessionId) => store.head(sessionId),
    heads: (afterKey, limit) => store.heads(afterKey, limit),
    follow: async (open, head) => {
      const { sessionId, sessionKey, changeSeq } = head;
      const at = open.current.get(sessionKey);
      if (at?.changeSeq === changeSeq && at.sessionId === sessionId) return false;
      open.current.delete(sessionKey);
      const { gained, more } = await followOnce(open.duck, store, head);
      open.through += gained;
      // With a piece taken in that was not the last, or while the record went on, the next look finds out.
      if (gained === 0 && !more) {
        if (open.current.size >= MOST_CURRENT) open.current.clear();
        open.current.set(sessionKey, { changeSeq, sessionId });
      }
      return more;
    },
    forget: async (open, sessionKey) => {
      open.current.delete(sessionKey);
      open.through -= await forget(open.duck, sessionKey);
    },
  };
}

export function activityFeed(store: ActivityStore): Feed {
  return {
    table: 'activity_heads',
    head: (sessionId) => store.head(sessionId),
    heads: (afterKey, limit) => store.heads(afterKey, limit),
    follow: ({ duck }, head) => followActivityOnce(duck, store, head),
    forget: ({ duck }, sessionKey) => forgetActivity(duck, sessionKey),
  };
}

/** @param store tells how far the session's causal memory is, of which its vectors are a part */
export function vectorFeed(store: FollowedStore, vectors: FollowedVectors): Feed {
  return {
    table: 'vector_heads',
    head: (sessionId) => store.head(sessionId),
    heads: (afterKey, limit) => store.heads(afterKey, limit),
    follow: async ({ duck, meant }, head) => {
      const { sessionId, sessionKey, changeSeq } = head;
      const at = meant.get(sessionKey);
      if (at?.changeSeq === changeSeq && at.sessionId === sessionId) return false;
      meant.delete(sessionKey);
      const more = await followVectorsOnce(duck, vectors, head);
      if (meant.size >= MOST_CURRENT) meant.clear();
      // What went on meanwhile has another head.
      if (!more) meant.set(sessionKey, { changeSeq, sessionId });
      return more;
    },
    forget: async ({ duck, meant }, sessionKey) => {
      meant.delete(sessionKey);
      await forgetVectors(duck, sessionKey);
    },
  };
}
