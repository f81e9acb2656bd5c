import { CccError } from '../base/ccc-error.ts';
import { newId } from '../base/ids.ts';
import { packed } from '../store/packed-terms.ts';
import type { ConversationRecord, NewTurn } from '../store/records.ts';
import { analyseInSteps } from '../text/analyse.ts';
import { breathing } from '../text/breathing.ts';
import type { MemoryDeps } from './deps.ts';
import type { MemoryService, TurnInput } from './memory-service.ts';
import { summariseJob } from './summaries/jobs.ts';

type TurnMethods = Pick<
  MemoryService,
  | 'createConversation'
  | 'getConversation'
  | 'listConversations'
  | 'listTurns'
  | 'appendTurns'
  | 'prepareTurn'
  | 'jobsForTurns'
>;

export function turnMethods({ dal, clock, growth, nudgeJobs, jobsOfExchange }: MemoryDeps): TurnMethods {
  const prepareTurn = async (turn: TurnInput): Promise<NewTurn> => ({
    turnId: newId('turn'),
    agent: turn.agent,
    kind: turn.kind ?? 'message',
    content: turn.content,
    speaker: turn.speaker ?? null,
    timestamp: turn.timestamp ?? clock.now(),
    cycleId: turn.cycleId ?? null,
    metadata: turn.metadata ?? {},
    terms: packed(await analyseInSteps(turn.content)),
  });
  const prepareTurns = async (turns: TurnInput[]): Promise<NewTurn[]> => {
    const breathe = breathing();
    const prepared: NewTurn[] = [];
    for (const turn of turns) {
      prepared.push(await prepareTurn(turn));
      await breathe();
    }
    return prepared;
  };
  const jobsForTurns = (conversationId: string, grown = true) => {
    const now = clock.now();
    return [...(grown ? [summariseJob(conversationId, now)] : []), ...jobsOfExchange(conversationId, now)];
  };
  const jobsFor = (conversationId: string, turns: TurnInput[], isNew: boolean) => {
    const texts = turns.map(({ content }) => content);
    return turns.length === 0
      ? []
      : jobsForTurns(conversationId, growth.hasGrown(conversationId, texts, isNew));
  };
  const getConversation = async (conversationId: string): Promise<ConversationRecord> => {
    const conversation = await dal.conversations.get(conversationId);
    if (!conversation) throw new CccError('conversation_not_found');
    return conversation;
  };
  return {
    prepareTurn,
    jobsForTurns: (conversationId) => jobsForTurns(conversationId),
    getConversation,

    async createConversation({ sessionId, directive, turns = [directiveTurn(directive)] }) {
      const conversationId = newId('conv');
      const begun = await dal.conversations.create({
        sessionId,
        conversationId,
        directive,
        turns: await prepareTurns(turns),
        jobs: jobsFor(conversationId, turns, true),
        now: clock.now(),
      });
      nudgeJobs();
      return begun;
    },

    listConversations: (input) => dal.conversations.list(input),

    async listTurns({ conversationId, fromNumber, limit }) {
      const { sessionId } = await getConversation(conversationId);
      return dal.turns.list({ sessionId, conversationId, fromNumber, limit });
    },

    async appendTurns({ conversationId, turns, idempotency, ...known }) {
      const sessionId = known.sessionId ?? (await getConversation(conversationId)).sessionId;
      const result = await dal.turns.append({
        sessionId,
        conversationId,
        turns: await prepareTurns(turns),
        jobs: jobsFor(conversationId, turns, false),
        ...(idempotency ? { idempotency } : {}),
        now: clock.now(),
      });
      nudgeJobs();
      return result;
    },
  };
}

function directiveTurn(directive: string): TurnInput {
  return { agent: 'wykeve', kind: 'directive', content: directive };
}
