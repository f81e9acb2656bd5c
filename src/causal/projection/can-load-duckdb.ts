import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Longest that it may take, in milliseconds; usual are 200. */
const LIMIT_MS = 20_000;
/** After so many milliseconds it is tried again, where it could not be. */
const AGAIN_MS = 60_000;
/** How the process that tries it ends where it cannot be loaded; what ends otherwise says nothing about DuckDB. */
const CANNOT = 86;
/** What a process needs to find and load what this one does. Nothing else of the environment is its business, keys least of all. */
const NEEDED = [
  'PATH',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'NODE_OPTIONS',
  'SYSTEMROOT',
  'TEMP',
  'TMPDIR',
];

let known: Promise<boolean> | null = null;

/**
 * Whether DuckDB can be loaded on this machine: false when a process of its own has tried in vain. Here it would stay in memory, some
 * 40 MB of it. True also where it could not be tried. What was found out is not tried again.
 */
export function canLoadDuckDB(): Promise<boolean> {
  known ??= tryToLoad().then((loads) => {
    if (loads === null) setTimeout(() => (known = null), AGAIN_MS).unref();
    return loads ?? true;
  });
  return known;
}

/** Null: it is not known. */
function tryToLoad(): Promise<boolean | null> {
  const script = `import('@duckdb/node-api').then(() => process.exit(0), () => process.exit(${String(CANNOT)}))`;
  // eslint-disable-next-line no-restricted-properties -- no settings of ours: how this process itself was started
  const { env } = process;
  return new Promise((resolve) => {
    try {
      execFile(
        process.execPath,
        ['--input-type=module', '--eval', script],
        {
          // From where this is, so that it finds what would be found here.
          cwd: fileURLToPath(new URL('.', import.meta.url)),
          env: Object.fromEntries(NEEDED.flatMap((name) => (env[name] ? [[name, env[name]]] : []))),
          timeout: LIMIT_MS,
        },
        (error) => {
          if (!error) resolve(true);
          // A library for another processor ends its process by a signal.
          else if (error.code === CANNOT || (error.signal && !error.killed)) resolve(false);
          else resolve(null);
        },
      );
    } catch {
      // This process may start no others.
      resolve(null);
    }
  });
}
