import type { CycleSignal } from '../../covenant/cycle-service.ts';
import { replyError } from './cycle-body.ts';
import { endingOf, type CycleReply, type Ending } from './cycle-reply.ts';
import { Narrator } from './narrator.ts';
import { HEARTBEAT_MS } from './parts.ts';
import { write } from './transport.ts';

/**
 * A cycle as a stream of chat completion chunks. The role goes out at once, the agents' words as reasoning while they
 * work, and `content` only when the answer is final. What is not OpenAI's stands at the top level of unnamed chunks
 * without choices: every client reads over those (measured, see docs/chat.md).
 */
export async function replyStream(reply: CycleReply): Promise<void> {
  const { call, running } = reply;
  // A cycle that a budget refused before its first call: nothing has been sent yet, so the refusal has its status.
  const early = (await hasEnded(running.done)) ? await endingOf(reply) : null;
  if (early?.error) {
    replyError(reply.res, early.error);
    return;
  }
  const stream = new ChunkStream(reply);
  const narration = call.fields.covenant?.narration ?? 'reasoning';
  const narrator = new Narrator();
  const unwatch = running.watch((said) => {
    if (narration === 'full' && said.kind === 'event') stream.progress(said);
    if (narration !== 'off') stream.narrate(narrator.tell(said));
  });
  const ending = early ?? (await endingOf(reply));
  unwatch();
  if (!ending) stream.end();
  else if (ending.error) stream.fail(ending.error.body);
  else {
    if (narration !== 'off') stream.narrate(ending.lastWords);
    if (ending.answer !== '' || !ending.toolCalls) stream.delta({ content: ending.answer });
    // One to a chunk, as OpenAI sends them: some clients read only the first of several.
    for (const [index, call] of (ending.toolCalls ?? []).entries()) {
      stream.delta({ tool_calls: [withIndex(call, index)] });
    }
    stream.close(ending);
  }
}

/** Whether a promise is settled now; waits for no more than what this turn of the event loop still brings. */
async function hasEnded(done: Promise<unknown>): Promise<boolean> {
  const settled = done.then(
    () => true,
    () => false,
  );
  return Promise.race([settled, new Promise<boolean>((resolve) => setImmediate(resolve, false))]);
}

/** In a stream each call says which one it is; here each comes whole. */
function withIndex(call: unknown, index: number): object {
  return { index, ...(call as object) };
}

class ChunkStream {
  readonly #reply: CycleReply;
  readonly #envelope: Record<string, unknown>;
  readonly #wantsUsage: boolean;
  readonly #heartbeat: NodeJS.Timeout;
  #written: Promise<void> = Promise.resolve();

  /** Sends the headers and the role at once: some clients drop a connection that is silent for too long. */
  constructor(reply: CycleReply) {
    const { parts, call, running, request } = reply;
    const options = call.body['stream_options'] as { include_usage?: unknown } | null | undefined;
    this.#reply = reply;
    this.#wantsUsage = options?.include_usage === true;
    this.#envelope = {
      id: `chatcmpl-${running.cycleId}`,
      object: 'chat.completion.chunk',
      created: Math.floor(parts.clock.now() / 1000),
      // The built-in rehearsal never passes for another model.
      model: parts.provider.info.name === 'rehearsal' ? parts.provider.info.defaultModel : request.model,
    };
    const { res } = reply;
    res.status(200);
    res.setHeader('content-type', 'text/event-stream; charset=utf-8');
    res.setHeader('cache-control', 'no-cache, no-transform');
    // Proxies such as nginx collect an answer before they pass it on, unless told not to.
    res.setHeader('x-accel-buffering', 'no');
    res.flushHeaders();
    this.#heartbeat = setInterval(() => {
      if (!res.writableNeedDrain) this.#send(': the agents are at work');
    }, parts.heartbeatMs ?? HEARTBEAT_MS);
    this.delta({ role: 'assistant', content: '' });
  }

  /** An error after the first byte: every client raises it with its own message. */
  fail(body: unknown): void {
    this.#send(`data: ${JSON.stringify(body)}`);
    this.end();
  }

  /** Ends the stream once all of it is written. */
  end(): void {
    clearInterval(this.#heartbeat);
    void this.#written.then(() => this.#reply.res.end());
  }

  delta(delta: Record<string, unknown>, finishReason: string | null = null): void {
    const choice = { index: 0, delta, logprobs: null, finish_reason: finishReason };
    this.#chunk({ choices: [choice], ...(this.#wantsUsage ? { usage: null } : {}) });
  }

  /** In both fields that clients show as a model's thoughts. */
  narrate(text: string): void {
    if (text !== '') this.delta({ reasoning_content: text, reasoning: text });
  }

  progress({ event }: Extract<CycleSignal, { kind: 'event' }>): void {
    const { seq, type, data } = event;
    const covenant = {
      cycle_id: event.cycleId,
      seq,
      type,
      agent: data['agent'] ?? null,
      round: data['round'] ?? null,
    };
    this.#chunk({ choices: [], covenant, ...(this.#wantsUsage ? { usage: null } : {}) });
  }

  /** The reason it ended, and one last chunk with all there is to say about the whole. */
  close(ending: Extract<Ending, { error: null }>): void {
    this.delta({}, ending.finishReason);
    this.#chunk({
      choices: [],
      ...(this.#wantsUsage ? { usage: ending.usage } : {}),
      covenant: ending.covenant,
      memory_metadata: this.#reply.call.report.toJson(),
    });
    this.#send('data: [DONE]');
    this.end();
  }

  #chunk(fields: Record<string, unknown>): void {
    this.#send(`data: ${JSON.stringify({ ...this.#envelope, ...fields })}`);
  }

  /** In order, each when there is room for it. Nobody waits: a cycle does not stand still for a slow reader. */
  #send(event: string): void {
    this.#written = this.#written.then(async () => {
      await write(this.#reply.res, `${event}\n\n`);
    });
  }
}
