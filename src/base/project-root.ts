import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json: the same one from `src/` and from `dist/src/`. */
export const PROJECT_ROOT = nearestPackage(dirname(fileURLToPath(import.meta.url)));

/** The version in package.json. */
export const VERSION = readVersion();

function nearestPackage(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('package.json is missing.');
  return nearestPackage(parent);
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}
