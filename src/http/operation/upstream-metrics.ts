import { Counter, Gauge, type Registry } from 'prom-client';
import type { ChatProvider, UpstreamStanding } from '../../models/provider.ts';
import { UpstreamError } from '../../models/upstream-error.ts';
import type { CccError } from '../../base/ccc-error.ts';

/**
 * The same provider, with its calls and tokens counted. Tokens are those of CCC's own calls: what is passed through
 * is not read.
 */
export function meteredProvider(provider: ChatProvider, registry: Registry): ChatProvider {
  const calls = new Counter({
    name: 'ccc_upstream_calls_total',
    help: 'Calls to the upstream: `chat` are its own (with retries counted once), `forward` are passed through.',
    labelNames: ['call', 'status'],
    registers: [registry],
  });
  const tokens = new Counter({
    name: 'ccc_upstream_tokens_total',
    help: "Tokens of CCC's own calls.",
    labelNames: ['kind'],
    registers: [registry],
  });
  const standing = provider.standing?.bind(provider);
  if (standing) meterStanding(standing, registry);
  return {
    info: provider.info,
    async chat(request, options) {
      try {
        const result = await provider.chat(request, options);
        calls.inc({ call: 'chat', status: 200 });
        tokens.inc({ kind: 'prompt' }, result.usage.prompt_tokens);
        tokens.inc({ kind: 'completion' }, result.usage.completion_tokens);
        return result;
      } catch (error) {
        calls.inc({ call: 'chat', status: statusOf(error, options.signal) });
        throw error;
      }
    },
    async forward(request, signal) {
      try {
        const answer = await provider.forward(request, signal);
        calls.inc({ call: 'forward', status: answer.status });
        return answer;
      } catch (error) {
        calls.inc({ call: 'forward', status: statusOf(error, signal) });
        throw error;
      }
    },
    ...(standing ? { standing } : {}),
    close: () => provider.close(),
  };
}

function statusOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'aborted';
  if (error instanceof UpstreamError) return String(error.status);
  return (error as Partial<CccError>).code ?? 'failed';
}

function meterStanding(standing: () => UpstreamStanding, registry: Registry): void {
  new Gauge({
    name: 'ccc_upstream_calls',
    help: 'Calls to the upstream now: under way, and waiting for a place.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const { inFlight, waiting } = standing();
      if (inFlight !== null) this.set({ state: 'in_flight' }, inFlight);
      this.set({ state: 'waiting' }, waiting);
    },
  });
  new Gauge({
    name: 'ccc_upstream_circuit_open',
    help: '1 while the upstream is left alone after many failures in a row.',
    registers: [registry],
    collect() {
      this.set(standing().circuit === 'open' ? 1 : 0);
    },
  });
}
