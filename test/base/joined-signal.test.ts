import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { joinSignals } from '../../src/base/joined-signal.ts';

describe('signals that are joined', () => {
  it('abort with the first of them, for its reason', () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const { signal } = joinSignals(one.signal, other.signal);
    expect(signal.aborted).toBe(false);
    other.abort('enough');
    expect(signal.reason).toBe('enough');
    one.abort('too late');
    expect(signal.reason).toBe('enough');
  });

  it('are aborted from the beginning when one of them is', () => {
    const { signal } = joinSignals(new AbortController().signal, AbortSignal.abort('before'));
    expect(signal.reason).toBe('before');
  });

  it('leave nothing behind once they are released, though somebody still listens', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const source = new AbortController();
    const call = () => {
      const { signal, release } = joinSignals(source.signal, new AbortController().signal);
      // As an HTTP client does, which never takes it back.
      signal.addEventListener('abort', () => undefined);
      release();
      return new WeakRef(signal);
    };
    const left = Array.from({ length: 50 }, call);
    expect(getEventListeners(source.signal, 'abort')).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(left.filter((signal) => signal.deref() !== undefined)).toEqual([]);
  });
});
