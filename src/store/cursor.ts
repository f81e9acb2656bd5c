import { CccError } from '../base/ccc-error.ts';
import type { Page } from './records.ts';

type Kind = 'number' | 'string';
type Values<K extends readonly Kind[]> = { [I in keyof K]: K[I] extends 'number' ? number : string };

/** A place in a list, opaque to the client. */
export function encodeCursor(values: (number | string)[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/** @throws invalid_request (param `cursor`) when it is not one of ours */
export function decodeCursor<const K extends readonly Kind[]>(cursor: string, kinds: K): Values<K> {
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (
      Array.isArray(values) &&
      values.length === kinds.length &&
      kinds.every((kind, i) => typeof values[i] === kind)
    ) {
      return values as Values<K>;
    }
  } catch {
    // Falls through to the one error.
  }
  throw new CccError('invalid_request', 'The cursor is not one that this list gave out.', {
    param: 'cursor',
  });
}

/** A page from up to `limit + 1` rows: the one too many only says that there is more. */
export function pageOf<R, T>(
  rows: R[],
  limit: number,
  item: (row: R) => T,
  cursor: (row: R) => string,
): Page<T> {
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  return {
    items: kept.map(item),
    nextCursor: rows.length > limit && last !== undefined ? cursor(last) : null,
  };
}
