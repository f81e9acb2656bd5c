import type { Response } from 'express';
import { endingOf, type CycleReply, type ReplyError } from './cycle-reply.ts';
import { Narrator } from './narrator.ts';

/** An error as an HTTP status: only while nothing has been sent. */
export function replyError(res: Response, { status, headers, body }: ReplyError): void {
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.status(status).json(body);
}

/** The whole answer in one JSON body, as `stream: false` wants it. */
export async function replyWhole(reply: CycleReply): Promise<void> {
  const { res, call, running } = reply;
  const narrator = new Narrator();
  let narration = '';
  const narrates = call.fields.covenant?.narration !== 'off';
  const unwatch = running.watch((said) => {
    if (narrates) narration += narrator.tell(said);
  });
  const ending = await endingOf(reply);
  unwatch();
  if (!ending) return;
  if (ending.error) {
    replyError(res, ending.error);
    return;
  }
  if (narrates) narration += ending.lastWords;
  res.status(200).json({
    id: `chatcmpl-${running.cycleId}`,
    object: 'chat.completion',
    created: Math.floor(reply.parts.clock.now() / 1000),
    model: ending.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: ending.toolCalls && ending.answer === '' ? null : ending.answer,
          refusal: null,
          ...(ending.toolCalls ? { tool_calls: ending.toolCalls } : {}),
          ...(narration === '' ? {} : { reasoning_content: narration, reasoning: narration }),
        },
        logprobs: null,
        finish_reason: ending.finishReason,
      },
    ],
    usage: ending.usage,
    covenant: ending.covenant,
    memory_metadata: call.report.toJson(),
  });
}
