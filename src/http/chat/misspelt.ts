import type { IncomingHttpHeaders } from 'node:http';
import { CccError } from '../../base/ccc-error.ts';
import { fields, isOwnField } from './fields.ts';
import { NAMING_HEADERS } from './naming.ts';

/** Stands in answers. Some programs send back what an answer came with. */
const CYCLE_HEADER = 'x-ccc-cycle-id';

/** What is left of a name when case, `-` and `_` do not count. */
const folded = (name: string) => name.replace(/[-_]/g, '').toLowerCase();
const OWN = new Map(Object.keys(fields.shape).map((name) => [folded(name), name]));
/** An id of ours; others have fields of such names for ids of their own. */
const OWN_ID = /^(?:sess|conv)_/;
const isOurs = (value: unknown) =>
  typeof value === 'string' ? OWN_ID.test(value) : typeof value === 'object' && value !== null;

/**
 * A name of CCC that is written wrongly would do nothing: the answer would come without memory, and nobody would know.
 * All other headers and fields are the client's and the upstream's.
 * @throws invalid_request naming what was sent, and what there is
 */
export function refuseMisspelt(headers: IncomingHttpHeaders, body: Record<string, unknown>): void {
  for (const name in headers) {
    if (name.startsWith('x-ccc-') && !NAMING_HEADERS.includes(name) && name !== CYCLE_HEADER) {
      refuse(name, `${name} is no header of a request to CCC: there are ${NAMING_HEADERS.join(' and ')}.`);
    }
  }
  for (const [name, value] of Object.entries(body)) {
    const meant = OWN.get(folded(name));
    if (meant !== undefined && !isOwnField(name) && !(meant in body) && isOurs(value)) {
      refuse(name, `${name} is no field of CCC: did you mean ${meant}?`);
    }
  }
}

function refuse(param: string, message: string): never {
  throw new CccError('invalid_request', message, { param });
}
