import type { ServerResponse } from 'node:http';
import { createCycleService } from '../../src/covenant/create-cycle-service.ts';
import { chunk, completion, DONE, startChat, type Script, type Seen } from '../http/chat/support.ts';

/** A client's way to name the session: by URL, or by the token as its API key. */
export const WAYS = ['/v2', '/v2/sessions/:id'] as const;

const VERDICT = { decision: 'approve', issues: [], resolved: [], criteria: [], lesson: null };

/** Answers with these texts in turn, streamed or not as it is asked; the last one again and again. */
export function answering(...texts: string[]): Script {
  let turn = 0;
  return (res, seen) => {
    const text = texts[Math.min(turn, texts.length - 1)] ?? '';
    turn += 1;
    sendText(res, seen, text);
  };
}

/** An upstream that guides, drafts and approves. */
export function approving(answer: string, guidance = 'Be short.'): Script {
  return answering(guidance, answer, JSON.stringify(VERDICT));
}

/** Answers with one message, not streamed. */
export function wholeMessage(message: object, finishReason: string): Script {
  return (res) => {
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify(completion({ refusal: null, ...message }, finishReason)));
  };
}

function sendText(res: ServerResponse, seen: Seen, text: string): void {
  const request = JSON.parse(seen.text) as { stream?: boolean; stream_options?: { include_usage?: boolean } };
  if (request.stream !== true) {
    wholeMessage({ role: 'assistant', content: text }, 'stop')(res, seen);
    return;
  }
  res.setHeader('content-type', 'text/event-stream');
  res.write(chunk({ role: 'assistant', content: '' }));
  for (let at = 0; at < text.length; at += 5) res.write(chunk({ content: text.slice(at, at + 5) }));
  res.write(chunk({}, 'stop'));
  if (request.stream_options?.include_usage === true) {
    const usage = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 };
    res.write(
      `data: ${JSON.stringify({ id: 'u', object: 'chat.completion.chunk', created: 1, model: 'up-model', choices: [], usage })}\n\n`,
    );
  }
  res.end(DONE);
}

/** `/v2` with a real record and real cycles, a session in it, and what a client has to be told to use them. */
export async function startForClients(
  way: (typeof WAYS)[number],
  script: Script,
  preferences: Record<string, string> = {},
  options: { heartbeatMs?: number } = {},
) {
  const chat = await startChat(script, (parts, memory) => ({
    ...options,
    cycles: createCycleService({
      dal: memory.dal,
      memory: parts.memory,
      provider: parts.provider,
      models: { beatrice: undefined, codey: undefined },
      clock: parts.clock,
      logger: parts.logger,
    }),
  }));
  const { sessionId, token } = await chat.session(preferences);
  const byUrl = way !== '/v2';
  return {
    chat,
    sessionId,
    baseURL: chat.url + (byUrl ? `/v2/sessions/${sessionId}` : '/v2'),
    apiKey: byUrl ? 'sk-of-the-client' : token,
  };
}
