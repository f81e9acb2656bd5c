import { createHash } from 'node:crypto';
import type { ChatMessage } from '../../models/chat-types.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { TurnKind, TurnRecord } from '../../store/records.ts';
import { messageText, toolCallIds, type Directive } from './messages.ts';

/**
 * Which conversation a request continues, when it names none. OpenAI's clients resend their history with each
 * message. Each directive is therefore stored with a key: a hash over what the person and the assistant had said up to
 * and including it. A history that is sent again gives the same keys, on any server that holds the record.
 *
 * System messages are not part of it (many clients write the date into them), nor are tool calls and their results
 * (many clients drop them), and white space counts as one space.
 */
export interface Thread {
  /** The conversation that is continued; null when a new one begins. */
  conversationId: string | null;
  /** The directive's turn when it is stored already: in a tool loop, or when an unanswered request is sent again. */
  directive: TurnRecord | null;
  /** To be stored with the directive. */
  threadKey: string;
}

/** Chosen to be beyond accident: 132 bits of SHA-256. */
const KEY_LENGTH = 22;
/** Two conversations that began alike are told apart by their answers; more than this many are not looked at. */
const MOST_CANDIDATES = 8;
/** Turns after a directive among which its answer is looked for: a cycle of ten rounds has 24. */
const MOST_TURNS_OF_AN_EXCHANGE = 100;
/** A shorter text that another begins with says too little to take the two for one, broken off. */
const SHORTEST_PART = 16;

/** What may come after a directive that was not answered: a cycle that did not come to its end. */
const UNFINISHED: ReadonlySet<TurnKind> = new Set(['guidance', 'draft', 'verdict']);

const normal = (text: string) => text.replace(/\s+/g, ' ').trim();

/** For each message the key of the history up to and including it. */
export function threadKeys(messages: ChatMessage[]): string[] {
  let key = '';
  return messages.map((message) => {
    const { text, attachments } = messageText(message);
    const counts = message.role === 'user' || (message.role === 'assistant' && normal(text) !== '');
    if (counts) {
      const said = JSON.stringify([key, message.role, normal(text), attachments]);
      key = createHash('sha256').update(said).digest('base64url').slice(0, KEY_LENGTH);
    }
    return key;
  });
}

/** Looks a directive up before it is known whether it will be needed: a question less that is waited for in a row. */
export function beginThread(
  turns: Pick<MemoryDAL['turns'], 'byThreadKey'>,
  { sessionId, messages, directive }: { sessionId: string; messages: ChatMessage[]; directive: Directive },
): Promise<TurnRecord[]> {
  const threadKey = threadKeys(messages)[directive.index] ?? '';
  const found = turns.byThreadKey(sessionId, threadKey, MOST_CANDIDATES);
  // Whoever waits for it hears of a failure; a request that is refused meanwhile does not wait.
  found.catch(() => undefined);
  return found;
}

export async function findThread(
  turns: MemoryDAL['turns'],
  input: {
    sessionId: string;
    /** Named by the client; null when it is to be found. */
    conversationId: string | null;
    messages: ChatMessage[];
    directive: Directive;
    /** Keys of directives that are being answered right now: an equal request is another one, not a second try. */
    beingAnswered: (threadKey: string) => boolean;
    /** A text as the record holds it, without its secrets. */
    asStored?: (text: string) => string;
    /** What `beginThread` has begun for the same request. */
    begun?: Promise<TurnRecord[]> | null;
  },
): Promise<Thread> {
  const { messages, directive } = input;
  const keys = threadKeys(messages);
  const threadKey = keys[directive.index] ?? '';
  const sinceDirective = messages.slice(directive.index + 1);
  const calls = new Set(sinceDirective.flatMap(toolCallIds));

  for (const candidate of await candidates(turns, input, threadKey, input.begun)) {
    const after = await turnsAfter(turns, candidate);
    const sameTurn = sinceDirective.some((message) => message.role === 'assistant')
      ? after.some((turn) => callIdsOf(turn).some((id) => calls.has(id)))
      : after.every(({ kind }) => UNFINISHED.has(kind)) && !input.beingAnswered(threadKey);
    if (sameTurn) return { conversationId: candidate.conversationId, directive: candidate, threadKey };
  }
  if (input.conversationId !== null) {
    return { conversationId: input.conversationId, directive: null, threadKey };
  }
  const conversationId = await findPrevious(turns, input, keys);
  return { conversationId, directive: null, threadKey };
}

/** The conversation in which the person's message before this one was answered as the client says it was. */
async function findPrevious(
  turns: MemoryDAL['turns'],
  input: Pick<
    Parameters<typeof findThread>[1],
    'sessionId' | 'conversationId' | 'messages' | 'directive' | 'asStored'
  >,
  keys: string[],
): Promise<string | null> {
  const before = input.messages.slice(0, input.directive.index);
  const answerAt = before.findLastIndex((m) => m.role === 'assistant' && normal(messageText(m).text) !== '');
  const askedAt = before.slice(0, Math.max(answerAt, 0)).findLastIndex((m) => m.role === 'user');
  const answer = before[answerAt];
  const key = keys[askedAt];
  if (!answer || key === undefined) return null;
  const sent = messageText(answer).text;
  const text = normal(sent);
  const isAnswer = ({ agent, content, metadata }: TurnRecord) => {
    if (agent === 'wykeve') return false;
    const masked = metadata['masked_secrets'] !== undefined && input.asStored;
    return sameAnswer(normal(content), masked ? normal(masked(sent)) : text);
  };
  const found = await candidates(turns, input, key);
  for (const candidate of found) {
    const after = await turnsAfter(turns, candidate);
    const next = after.findIndex((turn) => turn.kind === 'directive');
    const answers = next < 0 ? after : after.slice(0, next);
    if (answers.some(isAnswer)) return candidate.conversationId;
  }
  // The client has changed the answer. A history with earlier answers in it is still sure to be this one; a first
  // question alone is not: many conversations begin with "Hello".
  const alreadyLong = before.slice(0, askedAt).some((m) => m.role === 'assistant');
  return alreadyLong ? (found[0]?.conversationId ?? null) : null;
}

async function candidates(
  turns: MemoryDAL['turns'],
  { sessionId, conversationId }: { sessionId: string; conversationId: string | null },
  threadKey: string,
  begun?: Promise<TurnRecord[]> | null,
): Promise<TurnRecord[]> {
  const found = await (begun ?? turns.byThreadKey(sessionId, threadKey, MOST_CANDIDATES));
  return found.filter((turn) => conversationId === null || turn.conversationId === conversationId);
}

/** What came after a directive. */
function turnsAfter(turns: MemoryDAL['turns'], directive: TurnRecord): Promise<TurnRecord[]> {
  return turns.list({
    sessionId: directive.sessionId,
    conversationId: directive.conversationId,
    fromNumber: directive.turnNumber + 1,
    limit: MOST_TURNS_OF_AN_EXCHANGE,
  });
}

function callIdsOf(turn: TurnRecord): string[] {
  const calls = turn.metadata['tool_calls'];
  return Array.isArray(calls) ? toolCallIds({ role: 'assistant', tool_calls: calls }) : [];
}

function sameAnswer(stored: string, sent: string): boolean {
  if (stored === sent) return true;
  const [short, long] = stored.length < sent.length ? [stored, sent] : [sent, stored];
  return short.length >= SHORTEST_PART && long.startsWith(short);
}
