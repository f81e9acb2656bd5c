import type { CycleResult } from '../../covenant/cycle-service.ts';
import { Narrator } from './narrator.ts';
import { cycleSummary, describeError, errorOf, type CycleReply, type ReplyError } from './cycle-reply.ts';

/** The whole answer in one JSON body, as `stream: false` wants it. */
export async function replyWhole(reply: CycleReply): Promise<void> {
  const { res, call, running, signal } = reply;
  const narrator = new Narrator();
  let narration = '';
  const narrates = call.fields.covenant?.narration !== 'off';
  const unwatch = running.watch((said) => {
    if (narrates) narration += narrator.tell(said);
  });
  let result: CycleResult;
  try {
    result = await running.done;
    if (narrates) narration += narrator.end();
  } catch (error) {
    call.logger.error({ err: error, cycle_id: running.cycleId }, 'the cycle failed');
    sendError(reply, describeError(error));
    return;
  } finally {
    unwatch();
  }
  if (signal.aborted) return;
  const error = errorOf(result);
  if (error) {
    sendError(reply, error);
    return;
  }
  call.report.turnIds.push(...result.turns.map((turn) => turn.turnId));
  res.status(200).json({
    id: `chatcmpl-${result.cycleId}`,
    object: 'chat.completion',
    created: Math.floor(reply.parts.clock.now() / 1000),
    model: result.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: result.answer,
          refusal: null,
          ...(narration === '' ? {} : { reasoning_content: narration, reasoning: narration }),
        },
        logprobs: null,
        finish_reason: result.finishReason,
      },
    ],
    usage: result.usage,
    covenant: cycleSummary(result),
    memory_metadata: call.report.toJson(),
  });
}

function sendError({ res }: CycleReply, error: ReplyError): void {
  if (res.destroyed) return;
  res.status(error.status);
  for (const [name, value] of Object.entries(error.headers)) res.setHeader(name, value);
  res.json(error.body);
}
