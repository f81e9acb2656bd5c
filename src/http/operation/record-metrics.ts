import { Counter, Gauge, type Registry } from 'prom-client';
import type { CausalMemoryCore } from '../../causal/causal-memory-core.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import { within } from './within.ts';

/** Longest wait for a figure, in milliseconds: the other metrics must be there when the record is not. */
const LIMIT_MS = 2_000;

/** Counts the secrets that were masked before something was stored. */
export function countMasked(registry: Registry): (found: Record<string, number>) => void {
  const counter = new Counter({
    name: 'ccc_masked_secrets_total',
    help: 'Secrets that were masked before something was stored, by kind.',
    labelNames: ['kind'],
    registers: [registry],
  });
  return (found) => {
    for (const [kind, count] of Object.entries(found)) counter.inc({ kind }, count);
  };
}

/** Figures of the record, read when somebody asks for the metrics. What cannot be read is left out. */
export function registerRecordMetrics(
  registry: Registry,
  { dal, causal }: { dal: MemoryDAL; causal: CausalMemoryCore },
): void {
  const gauge = <T extends string>(
    config: { name: string; help: string; labelNames: T[] },
    read: () => Promise<{ labels: Partial<Record<T, string>>; value: number }[]>,
  ) => {
    new Gauge<T>({
      ...config,
      registers: [registry],
      async collect() {
        this.reset();
        // A figure without labels is set to 0 by that.
        if (config.labelNames.length === 0) this.remove();
        const rows = await within(LIMIT_MS, read).catch(() => []);
        for (const { labels, value } of rows) this.set(labels, value);
      },
    });
  };
  gauge(
    {
      name: 'ccc_record_rows',
      help: 'Sessions, conversations and turns in the record.',
      labelNames: ['what'],
    },
    async () =>
      Object.entries(await dal.maintenance.counts()).map(([what, value]) => ({ labels: { what }, value })),
  );
  gauge(
    { name: 'ccc_jobs', help: 'Background jobs by kind and state.', labelNames: ['kind', 'state'] },
    async () =>
      (await dal.jobs.counts()).map(({ kind, state, count }) => ({ labels: { kind, state }, value: count })),
  );
  gauge(
    {
      name: 'ccc_cycles',
      help: 'Covenant cycles by outcome or, while they run, by status.',
      labelNames: ['name'],
    },
    async () => (await dal.cycles.counts()).map(({ name, count }) => ({ labels: { name }, value: count })),
  );
  gauge(
    {
      name: 'ccc_causal_projection_lag',
      help: 'Changes of the record that causal memory has not taken in yet.',
      labelNames: [],
    },
    async () => [{ labels: {}, value: await causal.lag() }],
  );
}
