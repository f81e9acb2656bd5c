import type { Request, Response } from 'express';
import { CccError } from '../../base/ccc-error.ts';
import type { ForwardResponse } from '../../models/provider.ts';
import { AnswerReader, answerOfCompletion, type Answer } from './answer.ts';
import { cancelOnHangUp } from '../hang-up.ts';
import { EventSplitter, eventData } from './event-split.ts';
import { Exchange, type Incomplete } from './exchange.ts';
import { appendMember, applyEdits, objectSpans } from './json-splice.ts';
import { MEMORY_LIMIT_MS, type ChatParts } from './parts.ts';
import type { ChatCall, Preparation } from './prepare.ts';
import { copyHeaders, forwardHeaders, sendIdHeaders, write } from './transport.ts';
import { upstreamBody } from './upstream-body.ts';

/** One call of `direct` mode on its way. */
interface DirectCall {
  res: Response;
  call: ChatCall;
  /** Stores what came back, and what is known about it, in the record. */
  finish(answer: Answer | null, incomplete: Incomplete | null): Promise<void>;
  /** Why the client was not given the supervision it might expect; null when it asked for none. */
  unsupervised: string | null;
}

/**
 * One upstream call with memory. The upstream's bytes go to the client as they come; a copy is read on the side and
 * stored. Only `memory_metadata` is added: as a last chunk of a stream, as a last member of a body.
 */
export async function answerDirect(
  parts: ChatParts,
  req: Request,
  res: Response,
  call: ChatCall,
  preparation: Preparation,
  unsupervised: string | null,
): Promise<void> {
  const { report } = call;
  const exchange = openExchange(parts, call, preparation);
  const direct: DirectCall = {
    res,
    call,
    unsupervised,
    finish: async (answer, incomplete) => exchange?.finish(answer, incomplete),
  };
  sendIdHeaders(res, { sessionId: report.sessionId, conversationId: report.conversationId });
  const hangUp = cancelOnHangUp(res);
  try {
    const answering = parts.provider.forward(
      {
        method: 'POST',
        path: '/chat/completions',
        // The answer is read on its way, so it must come uncompressed.
        headers: { ...forwardHeaders(req), 'accept-encoding': 'identity' },
        body: upstreamBody(call.json, call.messages, report.context?.prompt ?? null),
      },
      hangUp.signal,
    );
    exchange?.begin();
    await relay(direct, await answering, hangUp.signal);
  } catch (error) {
    await direct.finish(null, hangUp.signal.aborted ? 'client_cancelled' : 'upstream_broke_off');
    if (hangUp.signal.aborted) return;
    if (!res.headersSent) throw error;
    // An error's body that breaks off: the client sees that it did.
    res.destroy();
  }
}

function openExchange(parts: ChatParts, call: ChatCall, { thread }: Preparation): Exchange | null {
  const { directive, messages, report } = call;
  if (!thread || !directive || !messages || report.conversationId === null) return null;
  return new Exchange({
    memory: parts.memory,
    report,
    logger: call.logger,
    conversationId: report.conversationId,
    thread,
    directive,
    messages,
    now: parts.clock.now(),
    limitMs: parts.memoryLimitMs ?? MEMORY_LIMIT_MS,
  });
}

async function relay(direct: DirectCall, upstream: ForwardResponse, signal: AbortSignal): Promise<void> {
  const { res } = direct;
  const type = String(upstream.headers['content-type'] ?? '');
  const encoded = String(upstream.headers['content-encoding'] ?? 'identity') !== 'identity';
  res.status(upstream.status);
  const isAnswer = upstream.status >= 200 && upstream.status < 300 && !encoded;
  if (!isAnswer) {
    copyHeaders(res, upstream.headers, true);
    for await (const bytes of upstream.body) if (!(await write(res, bytes as Buffer))) break;
    res.end();
  } else if (/^text\/event-stream\b/i.test(type)) {
    copyHeaders(res, upstream.headers, false);
    await relayStream(direct, upstream, signal);
  } else {
    await relayBody(direct, upstream);
  }
}

async function relayBody(direct: DirectCall, upstream: ForwardResponse): Promise<void> {
  const { res } = direct;
  const parts: Buffer[] = [];
  try {
    for await (const bytes of upstream.body) parts.push(bytes as Buffer);
  } catch (error) {
    res.status(502);
    throw error instanceof CccError
      ? error
      : new CccError('upstream_unreachable', undefined, { cause: error });
  }
  const json = Buffer.concat(parts);
  const answer = parseAnswer(json);
  if (answer) await direct.finish(answer, null);
  const object = answer ? objectSpans(json) : null;
  copyHeaders(res, upstream.headers, false);
  res.end(
    object
      ? applyEdits(
          json,
          Object.entries(extras(direct)).map(([key, value]) =>
            appendMember(object, key, JSON.stringify(value)),
          ),
        )
      : json,
  );
}

function parseAnswer(json: Buffer): Answer | null {
  try {
    return answerOfCompletion(JSON.parse(json.toString('utf8')));
  } catch {
    return null;
  }
}

async function relayStream(
  direct: DirectCall,
  upstream: ForwardResponse,
  signal: AbortSignal,
): Promise<void> {
  const { res } = direct;
  const splitter = new EventSplitter();
  const reader = new AnswerReader();
  res.flushHeaders();
  let done: Buffer | null = null;
  try {
    for await (const bytes of upstream.body.iterator({ destroyOnReturn: false })) {
      const events = splitter.push(bytes as Buffer);
      const last = events.findIndex((event) => eventData(event)?.trim() === '[DONE]');
      const passed = last < 0 ? events : events.slice(0, last);
      if (passed.length > 0) {
        const writing = write(res, Buffer.concat(passed));
        for (const event of passed) {
          const data = eventData(event);
          if (data !== null) reader.take(data);
        }
        if (!(await writing)) break;
      }
      if (last >= 0) {
        done = events[last] as Buffer;
        break;
      }
    }
  } catch (error) {
    direct.call.logger.warn({ err: error }, 'the upstream broke off in the middle of a stream');
  }
  const { answer } = reader;
  // Read to its end, so that the connection can be used again; nobody waits for it.
  upstream.body.on('error', () => undefined).resume();
  if (signal.aborted) {
    await direct.finish(answer, 'client_cancelled');
  } else if (done || answer.finishReason !== null) {
    // Some servers end without [DONE]; what they said before it is whole all the same.
    const rest = splitter.rest();
    if (!done && rest.length > 0) await write(res, Buffer.concat([rest, Buffer.from('\n\n')]));
    await direct.finish(answer, null);
    res.write(`data: ${JSON.stringify({ ...envelope(answer), choices: [], ...extras(direct) })}\n\n`);
    res.end(done ?? undefined);
  } else {
    await direct.finish(answer, 'upstream_broke_off');
    // A clean end would pass for a whole answer in several clients.
    const error = new CccError(
      'upstream_unreachable',
      'The upstream broke off before its answer was complete.',
    );
    res.end(answer.error ? undefined : `data: ${JSON.stringify(error.toBody())}\n\n`);
  }
}

function envelope({ envelope: { id, created, model } }: Answer) {
  return {
    id: id ?? 'chatcmpl-ccc',
    object: 'chat.completion.chunk',
    created: created ?? 0,
    model: model ?? '',
  };
}

function extras(direct: DirectCall): Record<string, unknown> {
  return {
    memory_metadata: direct.call.report.toJson(),
    ...(direct.unsupervised === null ? {} : { covenant: { mode: 'direct', reason: direct.unsupervised } }),
  };
}
