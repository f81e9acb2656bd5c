import { CccError } from '../base/ccc-error.ts';

/**
 * Stands in for a part of memory that is not there: whatever is asked of it fails with storage_failed. `/v1` never
 * asks, and `/v2` answers without memory and says so.
 */
export function unavailable<T extends object>(reason: string): T {
  const fail = (): never => {
    throw new CccError('storage_failed', reason);
  };
  const standIn: unknown = new Proxy(fail, {
    // A promise is recognised by its `then`: this is none.
    get: (_target, name) => (name === 'then' ? undefined : standIn),
  });
  return standIn as T;
}
