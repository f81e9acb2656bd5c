import { describe, expect, it } from 'vitest';
import { isToBeRetired, probabilityThatItHelps } from '../../../src/memory/lessons/effect.ts';

const of = (approved: number, trials: number) => ({ approved, trials });

/** The same probability by adding up the two densities on a fine grid. */
function onGrid(withIt: { trials: number; approved: number }, without: { trials: number; approved: number }) {
  const steps = 4_000;
  const density = ({ trials, approved }: { trials: number; approved: number }) => {
    const weights = Array.from({ length: steps }, (_, i) => {
      const p = (i + 0.5) / steps;
      return p ** approved * (1 - p) ** (trials - approved);
    });
    const whole = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / whole);
  };
  const [p, q] = [density(withIt), density(without)];
  let below = 0;
  let sum = 0;
  for (let i = 0; i < steps; i += 1) {
    sum += (p[i] ?? 0) * (below + (q[i] ?? 0) / 2);
    below += q[i] ?? 0;
  }
  return sum;
}

describe('the effect of a lesson', () => {
  it('is even while nothing was measured, and for equal arms', () => {
    expect(probabilityThatItHelps(of(0, 0), of(0, 0))).toBeCloseTo(0.5, 12);
    expect(probabilityThatItHelps(of(6, 9), of(6, 9))).toBeCloseTo(0.5, 12);
  });

  it.each([
    [of(9, 10), of(3, 10)],
    [of(2, 8), of(6, 8)],
    [of(0, 40), of(5, 10)],
    [of(120, 160), of(20, 40)],
  ])('of %o against %o is the sum over both posteriors', (withIt, without) => {
    expect(probabilityThatItHelps(withIt, without)).toBeCloseTo(onGrid(withIt, without), 5);
  });

  it('retires a lesson that does harm, after eight trials of each arm, and never a pinned one', () => {
    const harmful = { pinned: false, status: 'active', withIt: of(1, 30), withoutIt: of(8, 8) } as const;
    expect(isToBeRetired(harmful)).toBe(true);
    expect(isToBeRetired({ ...harmful, withoutIt: of(7, 7) })).toBe(false);
    expect(isToBeRetired({ ...harmful, withIt: of(0, 7) })).toBe(false);
    expect(isToBeRetired({ ...harmful, pinned: true })).toBe(false);
    expect(isToBeRetired({ ...harmful, status: 'candidate' })).toBe(false);
    expect(isToBeRetired({ ...harmful, withIt: of(28, 30), withoutIt: of(4, 8) })).toBe(false);
  });
});
