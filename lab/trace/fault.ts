import type { CycleView } from '../api/types.ts';

/** The HTTP status with which the upstream failed and so ended the cycle; null when it did not. */
export function faultStatus(cycle: CycleView): number | null {
  if (cycle.outcome !== 'upstream_error') return null;
  const fault = cycle.steps.at(-1)?.output?.['fault'] as { status?: unknown } | undefined;
  return typeof fault?.status === 'number' ? fault.status : null;
}
