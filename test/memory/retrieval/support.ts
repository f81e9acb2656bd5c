import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { newId } from '../../../src/base/ids.ts';
import { createRetriever, type FoundTurn, type Retriever } from '../../../src/memory/retrieval/retriever.ts';
import type { MemoryDAL } from '../../../src/store/memory-dal.ts';
import { openTestRecord } from '../../support/record.ts';
import { analyse } from '../../../src/text/analyse.ts';
import { newSession, newTurn, NOON, temporaryFolder } from '../../store/implementations.ts';

/** What was said: the words, or with who said them and when. */
export type Said = string | { text: string; speaker?: string; at?: number };

export interface Told {
  dal: MemoryDAL;
  retriever: Retriever;
  /** Stores a session of conversations. */
  tell(conversations: Said[][]): Promise<string>;
  /** The texts found for a question, best first. */
  ask(
    sessionId: string,
    query: string,
    options?: Partial<Parameters<Retriever['retrieve']>[0]>,
  ): Promise<string[]>;
  textOf(sessionId: string, found: readonly FoundTurn[]): Promise<string[]>;
  close(): Promise<void>;
}

/** A retriever on a real record. */
export async function openTold(): Promise<Told> {
  const folder = temporaryFolder();
  const dal = await openTestRecord(join(folder, 'record.db'));
  const retriever = createRetriever({ dal });
  const textOf: Told['textOf'] = async (sessionId, found) =>
    (await dal.turns.byPosition(sessionId, [...found])).map((turn) => turn?.content ?? 'no such turn');
  return {
    dal,
    retriever,
    textOf,
    async tell(conversations) {
      const sessionId = await newSession(dal);
      for (const turns of conversations) {
        await dal.conversations.create({
          sessionId,
          conversationId: newId('conv'),
          directive: '',
          turns: turns.map((said, i) => {
            const {
              text,
              speaker = null,
              at = NOON + i * 60_000,
            } = typeof said === 'string' ? { text: said } : said;
            return newTurn(text, { speaker, timestamp: at, terms: analyse(text) });
          }),
          jobs: [],
          now: NOON,
        });
      }
      return sessionId;
    },
    async ask(sessionId, query, options = {}) {
      return textOf(
        sessionId,
        await retriever.retrieve({ sessionId, query, limit: 10, now: NOON, ...options }),
      );
    },
    async close() {
      await dal.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
