import { Transform, type Readable } from 'node:stream';
import { promptTokens } from '../../models/chat-result.ts';
import type { ChatProvider, ForwardRequest, ForwardResponse } from '../../models/provider.ts';
import { UpstreamError } from '../../models/upstream-error.ts';
import { countTokensInSteps } from '../../text/tokens.ts';
import { refusalHeaders, tokensSpent } from './limit-tokens.ts';
import { tokensOf, type Exchanged } from './read-usage.ts';
import type { TokenLedger } from './token-ledger.ts';

/** Of a request and of an answer so much is kept until it is counted, in bytes: more text than any model takes. */
const KEPT = 2 * 1024 * 1024;

/**
 * The same provider, with the tokens of callers that have a limit counted: those of calls that are passed on after the
 * answer has gone, those of cycles with each call. Calls of the background are nobody's.
 */
export function spendingProvider(provider: ChatProvider, ledger: TokenLedger): ChatProvider {
  if (!ledger.limits) return provider;
  const standing = provider.standing?.bind(provider);

  const count = (payer: string, exchanged: () => Exchanged): void => {
    // The last bytes of the answer go first.
    const counting = new Promise((resolve) => setImmediate(resolve)).then(() => tokensOf(exchanged()));
    ledger.spendLater(payer, counting);
  };

  const forward = async (request: ForwardRequest, payer: string, signal: AbortSignal) => {
    const asked = new Kept();
    const body = Buffer.isBuffer(request.body) ? request.body : request.body && kept(request.body, asked);
    if (Buffer.isBuffer(body)) asked.take(body);
    let answer: ForwardResponse;
    try {
      answer = await provider.forward({ ...request, body }, signal);
    } catch (error) {
      // Whoever hangs up just before the answer does not ask for nothing.
      if (signal.aborted) count(payer, () => ({ asked: asked.bytes(), answered: null }));
      throw error;
    }
    // Errors cost nothing.
    if (answer.status < 200 || answer.status >= 300) return answer;
    const answered = new Kept();
    const reading = kept(answer.body, answered);
    reading.once('close', () => answer.body.destroy());
    answer.body.once('close', () => {
      if (!answer.body.readableEnded) reading.destroy();
    });
    reading.once('close', () => {
      count(payer, () => ({
        asked: asked.bytes(),
        answered: {
          bytes: answered.bytes(),
          type: String(answer.headers['content-type'] ?? ''),
          encoding: String(answer.headers['content-encoding'] ?? '').toLowerCase(),
        },
      }));
    });
    return { ...answer, body: reading };
  };

  return {
    info: provider.info,
    async chat(request, options) {
      const { payer } = options;
      const stands = payer === undefined ? null : await ledger.standing(payer);
      if (payer === undefined || !stands) return provider.chat(request, options);
      if (stands.spent >= stands.limit) {
        throw UpstreamError.of(tokensSpent(stands), refusalHeaders(stands));
      }
      let text = '';
      const { onChunk } = options;
      const watched = (chunk: Parameters<NonNullable<typeof onChunk>>[0]) => {
        text += chunk.choices[0]?.delta.content ?? '';
        onChunk?.(chunk);
      };
      try {
        const result = await provider.chat(request, { ...options, ...(onChunk ? { onChunk: watched } : {}) });
        ledger.spend(payer, result.usage.total_tokens);
        return result;
      } catch (error) {
        // A refused call costs nothing; one that was broken off has cost what it was given and what it had said.
        if (options.signal.aborted || text !== '') {
          ledger.spend(payer, promptTokens(request.messages) + (await countTokensInSteps(text)));
        }
        throw error;
      }
    },
    forward: (request, signal) =>
      request.method === 'POST' && request.lane !== undefined && ledger.isLimited(request.lane)
        ? forward(request, request.lane, signal)
        : provider.forward(request, signal),
    ...(standing ? { standing } : {}),
    close: () => provider.close(),
  };
}

/** Bytes that have passed: all of a body that is not too long, else its beginning and its end. */
class Kept {
  readonly #first: Buffer[] = [];
  #firstBytes = 0;
  #last: Buffer[] = [];
  #lastBytes = 0;

  take(bytes: Buffer): void {
    const room = KEPT / 2 - this.#firstBytes;
    if (room > 0) {
      const begin = bytes.subarray(0, room);
      this.#first.push(begin);
      this.#firstBytes += begin.length;
    }
    const rest = room > 0 ? bytes.subarray(room) : bytes;
    if (rest.length === 0) return;
    this.#last.push(rest);
    this.#lastBytes += rest.length;
    while (this.#lastBytes - (this.#last[0]?.length ?? 0) > KEPT / 2) {
      this.#lastBytes -= this.#last.shift()?.length ?? 0;
    }
  }

  bytes(): Buffer {
    return Buffer.concat([...this.#first, ...this.#last]);
  }
}

function kept(body: Readable, into: Kept): Readable {
  const passing = new Transform({
    transform(bytes: Buffer, _encoding, done) {
      into.take(bytes);
      done(null, bytes);
    },
  });
  body.once('error', (error) => passing.destroy(error));
  return body.pipe(passing);
}
