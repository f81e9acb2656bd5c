import { expect } from 'vitest';
import type { UpstreamReply } from '../support/upstream.ts';
import type { Calls } from './client.ts';
import type { PathName } from './paths.ts';
import type { Run } from './server.ts';

/** One run of a case: a client on a path, with an upstream that follows the case's script. */
export interface Stage {
  calls: Calls;
  path: PathName;
  begin(reply: UpstreamReply): Run;
}

export interface Case {
  /** The column's head. */
  name: string;
  /** What has to be so, in the words of the document. */
  means: string;
  /** What keeps this client, or this path, from it; undefined when nothing does. */
  lacks?(calls: Calls, path: PathName): string | undefined;
  run(stage: Stage): Promise<void>;
}

/** Why something is not done; undefined when it is. */
export const without = (able: unknown): string | undefined =>
  typeof able === 'object' && able !== null && 'cannot' in able ? String(able.cannot) : undefined;
/** Resolves when it fails and the error, or something that it holds, says all of this. */
export async function expectFailure(promise: Promise<unknown>, ...words: string[]): Promise<void> {
  const error = await promise.then(
    (value) => expect.fail(`no failure but ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  for (const each of words) expect(allOf(error)).toContain(each);
}

/** All that an error says: clients wrap the server's words in errors of their own. */
function allOf(value: unknown, seen = new Set<unknown>()): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  if (typeof value !== 'object' || value === null || seen.has(value)) return '';
  seen.add(value);
  const members = Reflect.ownKeys(value).filter((key) => key !== 'stack' && key !== 'requestBodyValues');
  return members.map((key) => allOf(Reflect.get(value, key), seen)).join('\n');
}
