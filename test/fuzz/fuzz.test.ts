import { describe, expect, it } from 'vitest';
import { Random } from './random.ts';
import { fuzzRequest, KnownIds } from './requests.ts';
import { fuzz } from './run.ts';

describe('the server before generated and broken requests', () => {
  it('keeps the contract: no fault of its own, no crash, every error in its shape, no handle left open', async () => {
    const { made, byStatus, faults } = await fuzz({ requests: 2_000, seed: 7 });
    expect(faults).toEqual([]);
    expect(made).toBe(2_000);
    // Neither all refused nor all taken: both ways through the routes are walked.
    expect(byStatus['200'] ?? 0).toBeGreaterThan(300);
    expect(byStatus['400'] ?? 0).toBeGreaterThan(300);
    expect(byStatus['404'] ?? 0).toBeGreaterThan(50);
  });

  it('is asked the same things for the same seed', () => {
    const ask = (seed: number) =>
      Array.from({ length: 200 }, (_, number) => {
        const { path, body } = fuzzRequest(new Random(seed, number), new KnownIds());
        return `${path} ${body?.toString('hex') ?? ''}`;
      });
    expect(ask(1)).toEqual(ask(1));
    expect(ask(2)).not.toEqual(ask(1));
  });
});
