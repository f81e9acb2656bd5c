import { v7 as uuidv7 } from 'uuid';

/** What an id names; the prefix makes an id readable in a log and a mix-up visible. */
export type IdPrefix =
  'sess' | 'conv' | 'turn' | 'cyc' | 'step' | 'evt' | 'link' | 'les' | 'sum' | 'job' | 'fact' | 'req';

/**
 * A new id such as `sess_0192f0c4-…`. UUID version 7 (RFC 9562): ids sort by the time they were made,
 * so new rows land at the end of an index.
 */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${uuidv7()}`;
}
