import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Where `npm run bench:others` installs what is compared with. */
const FOLDER = new URL('../others/', import.meta.url);

/** The file that a package's name stands for, where that is installed; else null. */
export function otherPackage(name: string): string | null {
  try {
    return createRequire(fileURLToPath(new URL('package.json', FOLDER))).resolve(name);
  } catch {
    return null;
  }
}

/** Says that something is left out, and why. */
export function leftOut(name: string, why = '`npm run bench:others` installs it'): void {
  console.log(`${name} is left out: ${why}.\n`);
}
