import {
  BrokenCircuitError,
  CircuitState,
  circuitBreaker,
  ConsecutiveBreaker,
  handleWhen,
  type CircuitBreakerPolicy,
  type FailureReason,
} from 'cockatiel';
import { CccError } from '../../base/ccc-error.ts';
import type { ErrorCode } from '../../base/error-codes.ts';
import type { ChatProvider, ForwardResponse, UpstreamStanding } from '../provider.ts';
import { UpstreamError } from '../upstream-error.ts';
import { FairQueue, QueueFull, type Release } from './fair-queue.ts';

export interface GuardOptions {
  /** Calls to the upstream at the same time; 0 sets no limit. */
  concurrency: number;
  /** Failures in a row after which the upstream is left alone for a while; 0: never. */
  failures: number;
  /** How long it is left alone, in milliseconds; then one call tries whether it is back. */
  restMs?: number;
}

const REST_MS = 10_000;
/** As many calls may wait as there are places, times this. */
const WAITING_PER_PLACE = 8;
/** When somebody whom the queue has no room for may ask again, in seconds. */
const BUSY_RETRY_S = 2;
/** Calls that nobody waits for: they share one lane. */
const BACKGROUND = 'background';

/**
 * The same provider behind a bulkhead and a circuit breaker: a limited number of calls at once with a fair queue before
 * it, and no calls for a while to an upstream that has failed many times in a row. What counts as a failure: it could not
 * be reached, timed out, broke off before it answered, or answered with a status from 500 on. Answers pass unchanged.
 */
export function guardedProvider(provider: ChatProvider, options: GuardOptions): ChatProvider {
  const { concurrency, failures, restMs = REST_MS } = options;
  const queue =
    concurrency === 0
      ? null
      : new FairQueue({ atOnce: concurrency, mostWaiting: concurrency * WAITING_PER_PLACE });
  const circuit = failures === 0 ? null : newCircuit(failures, restMs);
  let openedAt = 0;
  let lastFailure = '';
  circuit?.onBreak((reason) => {
    openedAt = performance.now();
    if (!('isolated' in reason)) lastFailure = inWords(reason);
  });

  const enter = async (lane: string, signal: AbortSignal): Promise<Release> => {
    // Whoever would not be let through does not wait for a place first.
    if (circuit?.state === CircuitState.Open && performance.now() - openedAt < restMs) throw leftAlone();
    try {
      return (await queue?.enter(lane, signal)) ?? nothing;
    } catch (error) {
      if (error instanceof QueueFull) throw busy();
      throw error;
    }
  };
  const leftAlone = () => {
    const seconds = Math.max(1, Math.ceil((openedAt + restMs - performance.now()) / 1000));
    const message =
      'The upstream has failed many times in a row and is left alone for a moment: it is asked again in ' +
      `${seconds === 1 ? '1 second' : `${String(seconds)} seconds`}. The last failure: ${lastFailure}`;
    return refusal('upstream_unavailable', message, seconds);
  };
  const through = async <T>(call: () => Promise<T>): Promise<T> => {
    if (!circuit) return call();
    try {
      return await circuit.execute(call);
    } catch (error) {
      throw error instanceof BrokenCircuitError ? leftAlone() : error;
    }
  };

  return {
    info: provider.info,
    async chat(request, callOptions) {
      const release = await enter(callOptions.lane ?? BACKGROUND, callOptions.signal);
      try {
        return await through(() => provider.chat(request, callOptions));
      } finally {
        release();
      }
    },
    async forward(request, signal) {
      const release = await enter(request.lane ?? BACKGROUND, signal);
      try {
        const answer = await through(() => provider.forward(request, signal));
        // The place is taken until the answer has come as a whole, or nobody wants it any more.
        answer.body.once('close', release);
        if (answer.body.closed) release();
        return answer;
      } catch (error) {
        release();
        throw error;
      }
    },
    standing: (): UpstreamStanding => ({
      circuit: circuit && circuit.state !== CircuitState.Closed ? 'open' : 'closed',
      inFlight: queue?.inside ?? null,
      waiting: queue?.waiting ?? 0,
    }),
    close: () => provider.close(),
  };
}

const nothing: Release = () => undefined;

function newCircuit(failures: number, restMs: number): CircuitBreakerPolicy {
  const policy = handleWhen(isFailure).orWhenResult(
    (result) => ((result as Partial<ForwardResponse> | undefined)?.status ?? 0) >= 500,
  );
  return circuitBreaker(policy, {
    halfOpenAfter: restMs,
    breaker: new ConsecutiveBreaker(failures),
  });
}

/** Whether an error says that the upstream is not well; what a client asked wrongly, or broke off, does not. */
function isFailure(error: Error): boolean {
  if (error instanceof UpstreamError) return error.status >= 500;
  return error instanceof CccError && error.code.startsWith('upstream_');
}

/** What went wrong, for any caller: an upstream's own words may quote what another one has said. */
function inWords(reason: FailureReason<unknown>): string {
  const error = 'error' in reason ? reason.error : null;
  const own = error instanceof UpstreamError ? error.cause : error;
  if (own instanceof CccError) return own.message;
  const { status } = (error ?? (reason as { value: unknown }).value) as { status?: number };
  return `It answered with status ${String(status)}.`;
}

function busy(): UpstreamError {
  const message =
    'More calls wait for the upstream than CCC_UPSTREAM_CONCURRENCY allows: ' +
    `ask again in ${String(BUSY_RETRY_S)} seconds.`;
  return refusal('upstream_busy', message, BUSY_RETRY_S);
}

/** For a client that has got nothing: the official SDKs wait as they are told, and ask again. */
function refusal(code: ErrorCode, message: string, retryAfter: number): UpstreamError {
  return UpstreamError.of(new CccError(code, message), { 'retry-after': String(retryAfter) });
}
