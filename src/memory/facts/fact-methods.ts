import { CccError } from '../../base/ccc-error.ts';
import { newId } from '../../base/ids.ts';
import type { FactChanges, FactRecord } from '../../store/fact-store.ts';
import type { MemoryDeps } from '../deps.ts';
import { found } from '../sessions.ts';
import type { FactInput, FactService } from './fact-service.ts';
import { wordsOf } from './fact-words.ts';

/** How often a correction that names no version is tried when others write at the same time. */
const TRIES = 20;

export function factMethods({ dal, clock }: Pick<MemoryDeps, 'dal' | 'clock'>): FactService {
  const get = async (sessionId: string, factId: string): Promise<FactRecord> => {
    found(await dal.sessions.get(sessionId));
    const fact = await dal.facts.get(sessionId, factId);
    if (!fact) throw new CccError('fact_not_found');
    return fact;
  };
  return {
    async listFacts(input) {
      found(await dal.sessions.get(input.sessionId));
      return dal.facts.list(input);
    },
    async getFact(sessionId, factId) {
      const fact = await get(sessionId, factId);
      return { fact, versions: await dal.facts.versions(sessionId, factId) };
    },
    async addFact({ sessionId, ...input }) {
      const now = clock.now();
      const [fact] = await dal.facts.add({
        sessionId,
        facts: [
          {
            factId: newId('fact'),
            ...wordsOf(input),
            exclusive: input.exclusive ?? true,
            validFrom: input.validFrom ?? now,
            conversationId: null,
            sourceTurnId: null,
            author: 'person',
            pinned: input.pinned ?? false,
          },
        ],
        endings: [],
        jobs: [],
        now,
      });
      if (!fact) throw new CccError('internal_error');
      return fact;
    },
    async correctFact({ sessionId, factId, expectedVersion, changes }) {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const fact = await get(sessionId, factId);
        try {
          const corrected = await dal.facts.correct({
            sessionId,
            factId,
            // The words that stay are taken from this version.
            expectedVersion: expectedVersion ?? fact.version,
            changes: changesOf(fact, changes),
            now: clock.now(),
          });
          if (!corrected) throw new CccError('fact_not_found');
          return corrected;
        } catch (error) {
          const overtaken = error instanceof CccError && error.code === 'version_conflict';
          if (!overtaken || expectedVersion !== undefined) throw error;
        }
      }
      throw new CccError('version_conflict', undefined, { param: 'expected_version' });
    },
    async forgetFact(sessionId, factId) {
      found(await dal.sessions.get(sessionId));
      if (!(await dal.facts.forget(sessionId, factId))) throw new CccError('fact_not_found');
    },
  };
}

function changesOf(
  fact: FactRecord,
  changes: Partial<FactInput> & { validUntil?: number | null },
): FactChanges {
  const { subject, attribute, value, text, exclusive, validFrom, validUntil, pinned } = changes;
  const said = subject !== undefined || attribute !== undefined || value !== undefined;
  return {
    ...(said || text !== undefined
      ? {
          words: wordsOf({
            subject: subject ?? fact.subject,
            attribute: attribute ?? fact.attribute,
            value: value ?? fact.value,
            // A sentence that was made for other words says something else.
            text: text ?? (said ? undefined : fact.text),
          }),
        }
      : {}),
    ...(exclusive === undefined ? {} : { exclusive }),
    ...(validFrom === undefined ? {} : { validFrom }),
    ...(validUntil === undefined ? {} : { endedAt: validUntil }),
    ...(pinned === undefined ? {} : { pinned }),
  };
}
