import type { Logger } from '../../base/logger.ts';
import type { ProviderInfo } from '../../models/provider.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import { cycleSpans, type SpanAttributes } from './cycle-spans.ts';
import type { SpanExporter } from './otlp-exporter.ts';

/** Told when a run of a cycle has come to rest. */
export type CycleTracer = (run: { cycleId: string; fromStep: number }) => void;

/** Exports each run from the record once it rests: nothing of it is on a cycle's way, and a failure is only logged. */
export function createCycleTracer(deps: {
  dal: Pick<MemoryDAL, 'cycles'>;
  exporter: SpanExporter;
  provider: ProviderInfo;
  /** Whether texts go out with the spans. */
  content: boolean;
  logger: Logger;
}): { trace: CycleTracer; settled: () => Promise<unknown> } {
  const provider = providerAttributes(deps.provider);
  const trace = async (cycleId: string, fromStep: number) => {
    const cycle = await deps.dal.cycles.get(cycleId);
    if (!cycle) return;
    const steps = await deps.dal.cycles.steps(cycle.sessionId, cycleId);
    deps.exporter.send(cycleSpans(cycle, steps, { fromStep, content: deps.content, provider }));
  };
  const open = new Set<Promise<void>>();
  return {
    trace: ({ cycleId, fromStep }) => {
      const traced = trace(cycleId, fromStep)
        .catch((error: unknown) => {
          deps.logger.warn({ err: error, cycle_id: cycleId }, 'a cycle could not be traced');
        })
        .finally(() => open.delete(traced));
      open.add(traced);
    },
    settled: () => Promise.all(open),
  };
}

function providerAttributes({ name, baseUrl }: ProviderInfo): SpanAttributes {
  if (baseUrl === null) return { 'gen_ai.provider.name': name };
  const { hostname, port, protocol } = new URL(baseUrl);
  const usual = protocol === 'https:' ? 443 : 80;
  return {
    'gen_ai.provider.name': name,
    'server.address': hostname,
    'server.port': port === '' ? usual : Number(port),
  };
}
