import { promptTokens } from '../../models/chat-result.ts';
import { NO_USAGE, type ChatMessage, type ChatRequest, type Usage } from '../../models/chat-types.ts';
import type { ChatProvider, ChatResult } from '../../models/provider.ts';
import { UpstreamError } from '../../models/upstream-error.ts';
import { countTokens } from '../../text/tokens.ts';
import { VERDICT_JSON_SCHEMA } from '../verdict/verdict-schema.ts';

/** How structure is asked for, from the strictest to none. */
const FORMATS = ['json_schema', 'json_object', 'none'] as const;
type Format = (typeof FORMATS)[number];

export interface AgentCall {
  messages: ChatMessage[];
  signal: AbortSignal;
  /** Whose call it is, for the queue before the upstream. */
  lane: string;
  /** Whose tokens it spends. */
  payer?: string | undefined;
  onText: (text: string) => void;
  /** Told after each upstream call, also of one that failed, so that nothing spent is forgotten. */
  onUsage: (usage: Usage) => void;
}

/** A call was broken off; what it has probably cost up to then. */
export function usageOfAborted(messages: ChatMessage[], textSoFar: string): Usage {
  const prompt = promptTokens(messages);
  const completion = countTokens(textSoFar);
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

/** Beatrice and Codey: how each of them is asked. */
export class Agents {
  readonly #provider: ChatProvider;
  /** The best way to ask for structure that each model has not refused. */
  readonly #formats = new Map<string, Format>();

  constructor(provider: ChatProvider) {
    this.#provider = provider;
  }

  async guide(model: string, call: AgentCall): Promise<ChatResult> {
    return this.#chat({ model, messages: call.messages }, call);
  }

  /** Codey works with the client's own request: its sampling fields, stop words and format are his. */
  async draft(request: ChatRequest, model: string, call: AgentCall): Promise<ChatResult> {
    const { stream: _stream, stream_options: _options, ...fields } = request;
    // A choice that forces a tool has had its way once the tool was called; forced again it would never end.
    const forced = fields['tool_choice'] !== undefined && fields['tool_choice'] !== 'none';
    const called = call.messages.some(({ role }, at) => role === 'tool' && at >= request.messages.length);
    const choice = forced && called ? { tool_choice: 'auto' } : {};
    return this.#chat({ ...fields, ...choice, model, messages: call.messages }, call);
  }

  /** Asks for a verdict, by the strictest way that the model takes. */
  review(model: string, call: AgentCall): Promise<ChatResult> {
    return this.#structured(model, call);
  }

  /**
   * Steps down when the upstream refuses a format (400 and 422 only). The model is remembered by the way that worked: a
   * prompt that is too long is refused in every way, and says nothing about formats.
   */
  async #structured(model: string, call: AgentCall): Promise<ChatResult> {
    for (let at = FORMATS.indexOf(this.#formats.get(model) ?? 'json_schema'); ; at += 1) {
      const format = FORMATS[at] ?? 'none';
      try {
        const result = await this.#chat({ model, messages: call.messages, ...responseFormat(format) }, call);
        this.#formats.set(model, format);
        return result;
      } catch (error) {
        const refused = error instanceof UpstreamError && (error.status === 400 || error.status === 422);
        if (!refused || format === 'none') throw error;
      }
    }
  }

  async #chat(request: ChatRequest, call: AgentCall): Promise<ChatResult> {
    let text = '';
    try {
      const result = await this.#provider.chat(request, {
        signal: call.signal,
        lane: call.lane,
        ...(call.payer === undefined ? {} : { payer: call.payer }),
        onChunk: (chunk) => {
          const piece = chunk.choices[0]?.delta.content ?? '';
          if (piece === '') return;
          text += piece;
          call.onText(piece);
        },
      });
      call.onUsage(result.usage);
      return result;
    } catch (error) {
      // A refused call costs nothing; one that broke off has cost what it was given and what it had said.
      const begun = call.signal.aborted || text !== '';
      call.onUsage(begun ? usageOfAborted(call.messages, text) : NO_USAGE);
      throw error;
    }
  }
}

function responseFormat(format: Format): { response_format?: unknown } {
  if (format === 'none') return {};
  if (format === 'json_object') return { response_format: { type: 'json_object' } };
  return {
    response_format: {
      type: 'json_schema',
      json_schema: { name: 'verdict', strict: true, schema: VERDICT_JSON_SCHEMA },
    },
  };
}
