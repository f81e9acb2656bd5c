import type { Response } from 'express';
import { chooseOptions } from '../../covenant/choose-options.ts';
import type { RunningCycle } from '../../covenant/cycle-service.ts';
import type { ChatRequest } from '../../models/chat-types.ts';
import { directiveMetadata } from './exchange.ts';
import { cancelOnHangUp } from '../hang-up.ts';
import { callerName } from '../request-context.ts';
import { replyWhole } from './cycle-body.ts';
import { NO_RECORD } from './cycle-reply.ts';
import { replyStream } from './cycle-stream.ts';
import type { ChatParts } from './parts.ts';
import { isFault, noteFault } from './faults.ts';
import type { ChatCall } from './chat-call.ts';
import type { Preparation } from './prepare.ts';
import { sendIdHeaders } from './transport.ts';
import { upstreamBody } from './upstream-body.ts';
import type { WaitingCycle } from './waiting-cycle.ts';

/** Ours to set: the cycle streams when it wants to, whatever the client wants for itself. */
const SET_BY_CYCLE = ['stream', 'stream_options'];

/**
 * Answers under supervision. A client that hangs up cancels the cycle.
 * @returns null when the answer has been given; else why there can be no cycle, and nothing has been sent
 */
export async function answerCycle(
  parts: ChatParts,
  res: Response,
  call: ChatCall,
  { thread, addContext }: Preparation,
): Promise<string | null> {
  const { directive, messages, report, fields } = call;
  if (!thread || !directive || !messages || report.conversationId === null) {
    return NO_RECORD;
  }
  await addContext();
  const request = cycleRequest(parts, call, null);
  const hangUp = cancelOnHangUp(res);
  let running: RunningCycle;
  try {
    running = await parts.cycles.start({
      sessionId: call.sessionId,
      conversationId: report.conversationId,
      directive: directive.text,
      request,
      options: chooseOptions(fields.covenant ?? {}, call.session?.userPreferences ?? {}, parts.settings),
      context: report.context,
      contextMs: report.contextMs,
      storeTurns: fields.memory_options?.auto_store_response ?? true,
      directiveStored: thread.directive !== null,
      speaker: directive.speaker,
      payer: callerName(res.req, res),
      directiveMetadata: directiveMetadata(directive, thread.threadKey),
    });
  } catch (error) {
    if (!isFault(error)) throw error;
    noteFault(call, error, 'the cycle could not be recorded');
    return NO_RECORD;
  }
  const { conversationId } = report;
  if (thread.directive) report.turnIds.push(thread.directive.turnId);
  await replyFrom(parts, res, call, { running, conversationId, signal: hangUp.signal });
  return null;
}

/**
 * Goes on with a cycle that waits for the client's tools, and answers with what comes of it.
 * @throws cycle_conflict when another request with the same results was faster
 */
export async function continueCycle(
  parts: ChatParts,
  res: Response,
  call: ChatCall,
  { cycleId, conversationId, results }: WaitingCycle,
): Promise<void> {
  call.report.conversationId = conversationId;
  const hangUp = cancelOnHangUp(res);
  const running = await parts.cycles.continueWithTools(cycleId, results, callerName(res.req, res));
  await replyFrom(parts, res, call, { running, conversationId, signal: hangUp.signal });
}

/** Answers with a running cycle, in the form that the client wants. A client that hangs up cancels it. */
async function replyFrom(
  parts: ChatParts,
  res: Response,
  call: ChatCall,
  { running, conversationId, signal }: { running: RunningCycle; conversationId: string; signal: AbortSignal },
): Promise<void> {
  const { cycleId } = running;
  const cancel = () => {
    running.cancel();
  };
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  sendIdHeaders(res, { sessionId: call.sessionId, conversationId, cycleId });
  const withMemory = cycleRequest(parts, call, call.report.context?.prompt ?? null);
  const reply = { parts, res, call, running, request: withMemory, signal };
  await (call.body['stream'] === true ? replyStream(reply) : replyWhole(reply));
}

function cycleRequest(parts: ChatParts, call: ChatCall, memory: string | null): ChatRequest {
  const json = upstreamBody(call.json, call.messages, memory, SET_BY_CYCLE).toString('utf8');
  const request = JSON.parse(json) as ChatRequest;
  if (typeof request.model !== 'string' || request.model === '')
    request.model = parts.provider.info.defaultModel;
  return request;
}
