import { CccError } from '../../base/ccc-error.ts';
import type { Json } from '../../store/records.ts';

/** What the first line of an export says of the others. The version goes up when an older import could not read them. */
export const FORMAT = 'ccc-session';
export const FORMAT_VERSION = 1;

export function headerLine(): string {
  return JSON.stringify({ format: FORMAT, version: FORMAT_VERSION });
}

/** @throws invalid_request unless these are the lines of an export that this server can read */
export function checkHeader(value: Json): void {
  const { format, version } = (value ?? {}) as { format?: Json; version?: Json };
  if (format !== FORMAT) {
    throw new CccError(
      'invalid_request',
      `An export begins with the line ${headerLine()}: these lines are something else.`,
      { param: 'format' },
    );
  }
  if (version !== FORMAT_VERSION) {
    throw new CccError(
      'invalid_request',
      `This export has the format version ${JSON.stringify(version ?? null)}; this server reads ${String(FORMAT_VERSION)}.`,
      { param: 'version' },
    );
  }
}
