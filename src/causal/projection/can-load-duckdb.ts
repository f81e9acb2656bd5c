import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Longest that it may take, in milliseconds; usual are 200. */
const LIMIT_MS = 20_000;

let tried: Promise<Error | null> | null = null;

/**
 * Why DuckDB cannot be loaded on this machine; null when it can. Tried once, in a process of its own: here it would stay in memory,
 * some 40 MB of it.
 */
export function whyDuckDBCannotLoad(): Promise<Error | null> {
  return (tried ??= tryToLoad());
}

function tryToLoad(): Promise<Error | null> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--input-type=module', '--eval', "await import('@duckdb/node-api')"],
      {
        // From where this is, so that it finds what would be found here.
        cwd: fileURLToPath(new URL('.', import.meta.url)),
        // Nothing else of the environment is its business, keys least of all.
        // eslint-disable-next-line no-restricted-properties -- no setting of ours: how this process itself was started
        env: { NODE_OPTIONS: process.env['NODE_OPTIONS'] ?? '' },
        timeout: LIMIT_MS,
      },
      (error) => {
        resolve(error);
      },
    );
  });
}
