import type { Readable } from 'node:stream';
import type { Request, Response } from 'express';
import { CccError } from '../../base/ccc-error.ts';
import type { ForwardResponse } from '../../models/provider.ts';
import { AnswerReader, answerOfCompletion, type Answer } from './answer.ts';
import { callerName } from '../request-context.ts';
import { cancelOnHangUp } from '../hang-up.ts';
import { sendHead } from '../send-head.ts';
import { relay } from '../v1/pass-through.ts';
import { EventSplitter, eventData } from './event-split.ts';
import { Exchange, type Incomplete } from './exchange.ts';
import { holdAnswer, type HeldAnswer } from './held-body.ts';
import { appendMember, applyEdits, objectSpans } from './json-splice.ts';
import { MEMORY_LIMIT_MS, type ChatParts } from './parts.ts';
import type { ChatCall } from './chat-call.ts';
import type { Preparation } from './prepare.ts';
import { copyHeaders, forwardHeaders, queryOf, sendIdHeaders, write } from './transport.ts';
import { upstreamBody, withModel } from './upstream-body.ts';

const BROKE_OFF = 'The upstream broke off before its answer was complete.';
/** How long an upstream may keep its connection open after `[DONE]`, in milliseconds. */
const LONGEST_END_MS = 1_000;
/**
 * How long the end of a stream waits for storing, in milliseconds. All that the model said is with the client by then, but most
 * clients go on only at the end.
 */
const STREAM_STORED_MS = 1_000;

/** One call of `direct` mode on its way. */
interface DirectCall {
  res: Response;
  call: ChatCall;
  /** Stores what came back, and what is known about it, in the record. */
  finish(answer: Answer | null, incomplete: Incomplete | null, limitMs?: number): Promise<void>;
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
    finish: async (...how) => exchange?.finish(...how),
  };
  const hangUp = cancelOnHangUp(res);
  const json = withModel(call.json, call.body, parts.provider.info.defaultModel);
  try {
    // All that memory has to tell of what was said before has been read: the directive need not wait for its wording.
    const storing = exchange?.begin();
    await preparation.addContext();
    const answering = parts.provider
      .forward(
        {
          method: 'POST',
          path: `/chat/completions${queryOf(req)}`,
          // The answer is read on its way, so it must come uncompressed.
          headers: { ...forwardHeaders(req), 'accept-encoding': 'identity' },
          body: upstreamBody(json, call.messages, report.context?.prompt ?? null),
          lane: callerName(req, res),
        },
        hangUp.signal,
      )
      .then((answer) => (isRead(answer) ? holdAnswer(answer) : answer));
    // A failure is heard where it is waited for, below.
    answering.catch(() => undefined);
    await storing;
    sendIdHeaders(res, report);
    await relayAnswer(direct, await answering, hangUp.signal);
  } catch (error) {
    await direct.finish(null, hangUp.signal.aborted ? 'client_cancelled' : 'upstream_broke_off');
    if (!hangUp.signal.aborted) throw error;
  }
}

function openExchange(parts: ChatParts, call: ChatCall, { thread }: Preparation): Exchange | null {
  const { directive, messages, report } = call;
  if (!thread || !directive || !messages) return null;
  return new Exchange({
    memory: parts.memory,
    report,
    logger: call.logger,
    sessionId: call.sessionId,
    thread,
    directive,
    messages,
    now: parts.clock.now(),
    limitMs: parts.memoryLimitMs ?? MEMORY_LIMIT_MS,
  });
}

/** Errors, and what comes compressed all the same, are passed on unread. */
function isRead({ status, headers }: ForwardResponse): boolean {
  const encoded = String(headers['content-encoding'] ?? 'identity') !== 'identity';
  return status >= 200 && status < 300 && !encoded;
}

async function relayAnswer(
  direct: DirectCall,
  upstream: ForwardResponse | HeldAnswer,
  signal: AbortSignal,
): Promise<void> {
  const { res } = direct;
  if (!('read' in upstream)) {
    await relay(upstream, res);
    return;
  }
  const type = String(upstream.headers['content-type'] ?? '');
  if (!/^text\/event-stream\b/i.test(type)) {
    await relayBody(direct, upstream);
    return;
  }
  res.status(upstream.status);
  copyHeaders(res, upstream.headers);
  sendHead(res);
  await relayStream(direct, upstream, signal);
}

async function relayBody(direct: DirectCall, upstream: HeldAnswer): Promise<void> {
  const { res } = direct;
  const parts: Buffer[] = [];
  try {
    for await (const bytes of upstream.read()) parts.push(bytes);
  } catch (error) {
    throw new CccError('upstream_unreachable', BROKE_OFF, { cause: error });
  }
  const json = Buffer.concat(parts);
  const answer = parseAnswer(json);
  if (answer) await direct.finish(answer, null);
  const object = answer ? objectSpans(json) : null;
  res.status(upstream.status);
  copyHeaders(res, upstream.headers);
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

async function relayStream(direct: DirectCall, upstream: HeldAnswer, signal: AbortSignal): Promise<void> {
  const { res } = direct;
  const reader = new AnswerReader();
  const { answer } = reader;
  let done: Buffer | null = null;
  try {
    done = await passOn(upstream.read(), res, reader);
  } catch (error) {
    direct.call.logger.warn({ err: error }, 'the upstream broke off in the middle of a stream');
  }
  letEnd(upstream.body);
  if (answer.finishReason !== null || (done && !answer.error)) {
    await direct.finish(answer, null, STREAM_STORED_MS);
    res.write(`data: ${JSON.stringify({ ...envelope(answer), choices: [], ...extras(direct) })}\n\n`);
    // Some servers end without [DONE]; what they said before it is whole all the same.
    res.end(done ?? undefined);
  } else if (signal.aborted) {
    await direct.finish(answer, 'client_cancelled');
  } else {
    await direct.finish(answer, 'upstream_broke_off');
    // A clean end would pass for a whole answer in several clients.
    const error = new CccError('upstream_unreachable', BROKE_OFF);
    res.end(answer.error ? undefined : `data: ${JSON.stringify(error.toBody())}\n\n`);
  }
}

/** Passes events on and reads them. Resolves with the `[DONE]` event, which is held back, or null without one. */
async function passOn(
  body: AsyncIterable<Buffer>,
  res: Response,
  reader: AnswerReader,
): Promise<Buffer | null> {
  const splitter = new EventSplitter();
  for await (const bytes of body) {
    const events = splitter.push(bytes).map((event) => ({ event, data: eventData(event) }));
    const last = events.findIndex(({ data }) => data?.trim() === '[DONE]');
    const passed = last < 0 ? events : events.slice(0, last);
    if (passed.length > 0) {
      const writing = write(res, Buffer.concat(passed.map(({ event }) => event)));
      for (const { data } of passed) if (data !== null) reader.take(data);
      if (!(await writing)) return null;
    }
    if (last >= 0) return events[last]?.event ?? null;
  }
  // The last event of some servers has no blank line. Half an event is none.
  const rest = splitter.rest();
  const data = eventData(rest);
  const event = Buffer.concat([rest, Buffer.from('\n\n')]);
  if (data?.trim() === '[DONE]') return event;
  if (data !== null && reader.take(data)) await write(res, event);
  return null;
}

/** Reads what still comes, so that the connection can be used again, but not for long: nobody waits for it. */
function letEnd(body: Readable): void {
  const timer = setTimeout(() => body.destroy(), LONGEST_END_MS).unref();
  body
    .once('close', () => {
      clearTimeout(timer);
    })
    .on('error', () => undefined)
    .resume();
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
