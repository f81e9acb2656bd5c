import type { JsonObject } from '../../store/records.ts';

/** What a copy of the upstream's reply says, for the record. The reply itself goes to the client untouched. */
export interface Answer {
  /** The first choice's text; what the model said when it refused, if it did. */
  text: string;
  refused: boolean;
  /** The first choice's tool calls, whole: `{id, type, function: {name, arguments}}`. */
  toolCalls: JsonObject[];
  /** Null while the first choice has not come to its end. */
  finishReason: string | null;
  /** How many choices there were; the record keeps the first. */
  choices: number;
  /** The reply's own `id`, `object`, `created` and `model`, as JSON values. */
  envelope: { id: unknown; created: unknown; model: unknown };
  usage: JsonObject | null;
  /** An error that came in the middle of a stream. */
  error: boolean;
}

type Loose = Record<string, unknown>;

const object = (value: unknown): Loose | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : null;
const list = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);
const string = (value: unknown): string => (typeof value === 'string' ? value : '');

function emptyAnswer(): Answer {
  return {
    text: '',
    refused: false,
    toolCalls: [],
    finishReason: null,
    choices: 0,
    envelope: { id: undefined, created: undefined, model: undefined },
    usage: null,
    error: false,
  };
}

function readEnvelope(answer: Answer, from: Loose): void {
  for (const key of ['id', 'created', 'model'] as const) {
    if (from[key] !== undefined && from[key] !== null) answer.envelope[key] = from[key];
  }
  const usage = object(from['usage']);
  if (usage) answer.usage = usage as JsonObject;
}

/** Reads a whole `chat.completion`. Null when it is none. */
export function answerOfCompletion(completion: unknown): Answer | null {
  const body = object(completion);
  if (!body || !Array.isArray(body['choices'])) return null;
  const answer = emptyAnswer();
  readEnvelope(answer, body);
  answer.choices = list(body['choices']).length;
  const first = list(body['choices'])
    .map(object)
    .find((choice) => (choice?.['index'] ?? 0) === 0);
  const message = object(first?.['message']);
  if (!first || !message) return answer;
  answer.text = string(message['content']);
  answer.finishReason = string(first['finish_reason']) || 'stop';
  takeRefusal(answer, message['refusal']);
  answer.toolCalls = list(message['tool_calls']).flatMap((call) => {
    const found = object(call);
    return found ? [found as JsonObject] : [];
  });
  return answer;
}

function takeRefusal(answer: Answer, refusal: unknown): void {
  if (typeof refusal !== 'string' || refusal === '') return;
  answer.refused = true;
  answer.text += refusal;
}

/** Reads a stream of `chat.completion.chunk`s, one event's data at a time. */
export class AnswerReader {
  readonly answer: Answer = emptyAnswer();
  readonly #indexes = new Set<number>();

  /** False when it is not JSON. */
  take(data: string): boolean {
    let chunk: Loose | null;
    try {
      chunk = object(JSON.parse(data));
    } catch {
      return false;
    }
    if (!chunk) return true;
    if (object(chunk['error'])) this.answer.error = true;
    readEnvelope(this.answer, chunk);
    for (const item of list(chunk['choices'])) {
      const choice = object(item);
      if (choice) this.#takeChoice(choice);
    }
    return true;
  }

  #takeChoice(choice: Loose): void {
    const index = typeof choice['index'] === 'number' ? choice['index'] : 0;
    this.#indexes.add(index);
    this.answer.choices = this.#indexes.size;
    if (index !== 0) return;
    const delta = object(choice['delta']);
    if (delta) {
      this.answer.text += string(delta['content']);
      takeRefusal(this.answer, delta['refusal']);
      for (const part of list(delta['tool_calls'])) this.#takeCall(object(part));
    }
    if (typeof choice['finish_reason'] === 'string') this.answer.finishReason = choice['finish_reason'];
  }

  /** The first piece of a call brings its id and name, later ones more of its arguments. */
  #takeCall(part: Loose | null): void {
    if (!part) return;
    const calls = this.answer.toolCalls;
    const index = typeof part['index'] === 'number' ? part['index'] : Math.max(calls.length - 1, 0);
    // An index is the upstream's word; a hole as large as it likes must not become memory.
    if (index < 0 || index > calls.length) return;
    const call = (calls[index] ??= { id: '', type: 'function', function: { name: '', arguments: '' } });
    const named = call['function'] as JsonObject;
    const more = object(part['function']);
    if (typeof part['id'] === 'string' && part['id'] !== '') call['id'] = part['id'];
    named['name'] = string(named['name']) + string(more?.['name']);
    named['arguments'] = string(named['arguments']) + string(more?.['arguments']);
  }
}

/** Tool calls as a line of text each, so that they can be found by their words. */
export function describeToolCalls(calls: JsonObject[]): string {
  return calls
    .map((call) => {
      const named = object(call['function']) ?? object(call['custom']);
      return `${string(named?.['name'])}(${string(named?.['arguments'] ?? named?.['input'])})`;
    })
    .join('\n');
}
