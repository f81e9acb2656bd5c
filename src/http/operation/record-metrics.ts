import { Gauge, type Registry } from 'prom-client';
import type { MemoryDAL } from '../../store/memory-dal.ts';

/** Figures of the record, read when somebody asks for the metrics. */
export function registerRecordMetrics(registry: Registry, dal: MemoryDAL): void {
  new Gauge({
    name: 'ccc_record_rows',
    help: 'Sessions, conversations and turns in the record.',
    labelNames: ['what'],
    registers: [registry],
    async collect() {
      const counts = await dal.maintenance.counts();
      for (const [what, count] of Object.entries(counts)) this.set({ what }, count);
    },
  });
  new Gauge({
    name: 'ccc_jobs',
    help: 'Background jobs by kind and state.',
    labelNames: ['kind', 'state'],
    registers: [registry],
    async collect() {
      this.reset();
      for (const { kind, state, count } of await dal.jobs.counts()) this.set({ kind, state }, count);
    },
  });
  new Gauge({
    name: 'ccc_cycles',
    help: 'Covenant cycles by outcome or, while they run, by status.',
    labelNames: ['name'],
    registers: [registry],
    async collect() {
      this.reset();
      for (const { name, count } of await dal.cycles.counts()) this.set({ name }, count);
    },
  });
}
