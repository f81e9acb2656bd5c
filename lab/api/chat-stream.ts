import { ApiError, send } from './http.ts';

interface Chunk {
  error?: { message?: string; code?: string };
  choices?: { delta?: { content?: string | null } }[];
  memory_metadata?: { context_tokens?: number; relevant_turns?: number; degraded?: string | null };
}

/** One unsupervised answer with memory, as it is written. Resolves to what memory did when the answer is whole. */
export async function streamAnswer(
  body: object,
  signal: AbortSignal,
  hear: { begun: (conversationId: string | null) => void; text: (piece: string) => void },
): Promise<Chunk['memory_metadata'] | null> {
  const response = await send('/v2/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, stream: true }),
    signal,
  });
  hear.begun(response.headers.get('x-ccc-conversation-id'));
  let memory: Chunk['memory_metadata'] | null = null;
  let whole = false;
  for await (const data of dataLines(response, signal)) {
    if (data === '[DONE]') {
      whole = true;
      continue;
    }
    const chunk = JSON.parse(data) as Chunk;
    if (chunk.error)
      throw new ApiError(502, chunk.error.code ?? 'unknown', chunk.error.message ?? 'The upstream failed.');
    const piece = chunk.choices?.[0]?.delta?.content;
    if (piece) hear.text(piece);
    memory = chunk.memory_metadata ?? memory;
  }
  if (!whole) throw new ApiError(0, 'stream_cut', 'The answer broke off.');
  return memory;
}

/** The `data` of an event stream. OpenAI's streams have one line of data in each event. */
async function* dataLines(response: Response, signal: AbortSignal): AsyncGenerator<string> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    let part: ReadableStreamReadResult<string>;
    try {
      part = await reader.read();
    } catch (error) {
      if (signal.aborted) throw error;
      throw new ApiError(0, 'stream_cut', 'The answer broke off.');
    }
    if (part.done) return;
    const lines = (rest + part.value).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data:')) yield line.slice(5).trimStart();
  }
}
