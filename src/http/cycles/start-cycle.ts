import { z } from 'zod';
import { CccError } from '../../base/ccc-error.ts';
import { chooseOptions } from '../../covenant/choose-options.ts';
import { textOf } from '../../models/chat-result.ts';
import type { ChatMessage, ChatRequest } from '../../models/chat-types.ts';
import { agentModels } from '../agent-models.ts';
import { validate } from '../validate.ts';
import type { CyclesParts } from './parts.ts';

const message = z.looseObject({ role: z.string().min(1) });

/** What the upstream is asked with, beside the messages; the upstream says what is wrong with a value. */
const forCodey = {
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  max_tokens: z.int().min(1).optional(),
  max_completion_tokens: z.int().min(1).optional(),
  stop: z.union([z.string(), z.array(z.string())]).optional(),
  seed: z.int().optional(),
  presence_penalty: z.number().optional(),
  frequency_penalty: z.number().optional(),
  response_format: z.looseObject({ type: z.string() }).optional(),
};

/** What a cycle is started with. */
export const startBody = z
  .strictObject({
    directive: z.string().trim().min(1).optional(),
    messages: z.array(message).min(1).optional(),
    conversation_id: z.string().optional(),
    model: z.string().min(1).optional(),
    ...forCodey,
    max_rounds: z.int().min(0).max(10).optional(),
    max_total_tokens: z.int().min(1).nullish(),
    max_seconds: z.number().positive().max(86_400).nullish(),
    criteria: z.array(z.string().trim().min(1).max(2_000)).max(50).optional(),
    decide_before_delivery: z.boolean().optional(),
    models: agentModels.nullish(),
    memory_options: z
      .strictObject({
        use_context: z.boolean().optional(),
        max_context_turns: z.int().min(0).max(200).optional(),
        max_context_tokens: z.int().min(0).max(200_000).optional(),
        include_agent_state: z.boolean().optional(),
        include_causal: z.boolean().optional(),
        auto_store_response: z.boolean().optional(),
      })
      .optional(),
  })
  .refine(({ directive, messages }) => (directive === undefined) !== (messages === undefined), {
    message: 'give either a directive or messages',
    path: ['directive'],
  })
  .refine(({ messages }) => messages === undefined || messages.at(-1)?.role === 'user', {
    message: "the last one has to be the user's: it is the directive",
    path: ['messages'],
  });
type StartBody = z.output<typeof startBody>;

/** Turns of the open conversation that Codey gets as messages, when a conversation is continued by a directive. */
const CONTINUED_TURNS = 40;

/** Starts a cycle from a request's body. Returns its id. @throws invalid_request, *_not_found, session_archived */
export async function startCycle(
  parts: CyclesParts,
  sessionId: string,
  json: unknown,
  payer: string,
): Promise<string> {
  const body = validate(startBody, json);
  const { memory, settings } = parts;
  const session = await memory.getSession(sessionId);
  if (session.status === 'archived') throw new CccError('session_archived');
  const conversationId = body.conversation_id ?? null;
  if (conversationId !== null && (await memory.getConversation(conversationId)).sessionId !== sessionId) {
    throw new CccError('conversation_not_found', undefined, { param: 'conversation_id' });
  }
  const messages =
    body.messages?.map(withoutOurs) ??
    (await conversationMessages(parts, conversationId, body.directive ?? ''));
  const directive = body.directive ?? textOf(messages.at(-1) ?? { role: 'user' });
  const options = body.memory_options ?? {};
  const began = performance.now();
  const context =
    options.use_context === false
      ? null
      : await memory.buildContext({
          sessionId,
          conversationId,
          directive,
          maxTurns: options.max_context_turns ?? settings.CCC_MAX_CONTEXT_TURNS,
          maxTokens: options.max_context_tokens ?? settings.CCC_MAX_CONTEXT_TOKENS,
          includeAgentState: options.include_agent_state ?? true,
          includeCausal: options.include_causal ?? true,
          alreadySent: messages.map(textOf).filter((text) => text !== ''),
        });
  const contextMs = performance.now() - began;
  const conversation =
    conversationId ??
    (await memory.createConversation({ sessionId, directive, turns: [] })).conversation.conversationId;
  const running = await parts.cycles.start({
    sessionId,
    conversationId: conversation,
    directive,
    request: codeysRequest(parts, body, messages),
    options: chooseOptions(body, session.userPreferences, settings),
    context,
    contextMs,
    storeTurns: options.auto_store_response ?? true,
    payer,
  });
  return running.cycleId;
}

/** What this server has put beside an answer is not the upstream's to read: several answer 400 to it. */
function withoutOurs(message: ChatMessage): ChatMessage {
  const { reasoning_content: _a, reasoning: _b, covenant: _c, memory_metadata: _d, ...rest } = message;
  return rest as ChatMessage;
}

function codeysRequest(parts: CyclesParts, body: StartBody, messages: ChatMessage[]): ChatRequest {
  const fields = Object.keys(forCodey).flatMap((name) => {
    const value = body[name as keyof typeof forCodey];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    model: body.model ?? parts.provider.info.defaultModel,
    messages,
    ...Object.fromEntries(fields),
  };
}

/** The conversation so far as a chat client would have sent it: what the person asked and what was answered. */
async function conversationMessages(
  parts: CyclesParts,
  conversationId: string | null,
  directive: string,
): Promise<ChatMessage[]> {
  const asked: ChatMessage = { role: 'user', content: directive };
  if (conversationId === null) return [asked];
  const { turnCount } = await parts.memory.getConversation(conversationId);
  const turns = await parts.memory.listTurns({
    conversationId,
    fromNumber: Math.max(1, turnCount - CONTINUED_TURNS + 1),
    limit: CONTINUED_TURNS,
  });
  const said = turns.flatMap((turn): ChatMessage[] => {
    if (turn.agent === 'wykeve') return [{ role: 'user', content: turn.content }];
    const answered = turn.agent === 'codey' && (turn.kind === 'answer' || turn.kind === 'message');
    return answered ? [{ role: 'assistant', content: turn.content }] : [];
  });
  return [...said, asked];
}
