import {
  completion,
  json,
  role,
  streamed,
  type ToolCallScript,
  type UpstreamCall,
  type UpstreamReply,
} from '../support/upstream.ts';

export const RIVERS = 'Niger, Nile, Congo.';
const VERDICT = { decision: 'approve', issues: [], resolved: [], criteria: [], lesson: null };

/** What a client that shows thoughts shows of a cycle in which `content` was approved at once. */
export const narrationOf = (content: string) =>
  '[Beatrice · round 1 · guidance]\nBe short.\n\n' +
  `[Codey · round 1 · draft]\n${content}\n\n` +
  '[Beatrice · round 1 · verdict]\nApproved.';

export interface Answer {
  content?: string;
  reasoning?: string;
  toolCalls?: ToolCallScript[];
}

/** Plays a model: this answer, streamed or whole as the call asks; guidance and approval when it is asked as Beatrice. */
export function answers(make: Answer | ((call: UpstreamCall) => Answer)): UpstreamReply {
  return (res, call) => {
    const { content = '', reasoning, toolCalls = [] } = spoken(make, call);
    if (call.json.stream !== true) {
      if (reasoning === undefined) return completion({ content: content || null, toolCalls })(res, call);
      return withReasoning(content, reasoning)(res, call);
    }
    const words = content.match(/.{1,5}/gs) ?? [];
    const finishReason = toolCalls.length > 0 ? 'tool_calls' : 'stop';
    return streamed(
      [
        ...(reasoning === undefined ? [] : [{ reasoning_content: reasoning, reasoning }]),
        ...words,
        ...toolCalls.flatMap(callDeltas),
      ],
      { finishReason },
    )(res, call);
  };
}

function spoken(make: Answer | ((call: UpstreamCall) => Answer), call: UpstreamCall): Answer {
  if (role('guidance')(call)) return { content: 'Be short.' };
  if (role('verdict')(call)) return { content: JSON.stringify(VERDICT) };
  return typeof make === 'function' ? make(call) : make;
}

/** As OpenAI streams a call: its id and name first, then its arguments in parts. */
function callDeltas({ id, name, arguments: text }: ToolCallScript, index: number): object[] {
  const half = Math.ceil(text.length / 2);
  return [
    { tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] },
    { tool_calls: [{ index, function: { arguments: text.slice(0, half) } }] },
    { tool_calls: [{ index, function: { arguments: text.slice(half) } }] },
  ];
}

/** Some servers write the one field and some the other. */
function withReasoning(content: string, reasoning: string): UpstreamReply {
  const message = { role: 'assistant', content, reasoning_content: reasoning, reasoning };
  return json({
    id: 'chatcmpl-scripted',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'scripted-model',
    choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
  });
}

/** A whole answer of the Responses API, streamed or not as the call asks. */
export const responds =
  (text: string): UpstreamReply =>
  (res, call) => {
    const content = [{ type: 'output_text', text, annotations: [] }];
    const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content };
    const usage = {
      input_tokens: 5,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 3,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 8,
    };
    const response = {
      id: 'resp_1',
      object: 'response',
      created_at: 1_700_000_000,
      status: 'completed',
      error: null,
      incomplete_details: null,
      model: 'scripted-model',
      output: [item],
      parallel_tool_calls: true,
      tools: [],
      usage,
    };
    if (call.json.stream !== true) return json(response)(res, call);
    const events = [
      { type: 'response.created', response: { ...response, status: 'in_progress', output: [], usage: null } },
      { type: 'response.output_item.added', output_index: 0, item: { ...item, content: [] } },
      {
        type: 'response.output_text.delta',
        item_id: 'msg_1',
        output_index: 0,
        content_index: 0,
        delta: text,
      },
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.completed', response },
    ];
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    return res.end(
      events
        .map(
          (event, at) =>
            `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`,
        )
        .join(''),
    );
  };
