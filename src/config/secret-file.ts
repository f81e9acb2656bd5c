import { readFileSync } from 'node:fs';
import { SettingsError } from './settings-error.ts';

/**
 * Puts what the file of `<name>_FILE` holds in the place of `<name>`, so that whoever reads that setting need not know
 * where it came from. @throws {SettingsError} when both are given, or when the file cannot be read or is empty
 */
export function withSecretFile(
  environment: Record<string, string | undefined>,
  name: string,
): Record<string, string | undefined> {
  const file = environment[`${name}_FILE`]?.trim() ?? '';
  if (file === '') return environment;
  if ((environment[name]?.trim() ?? '') !== '') {
    throw new SettingsError([`${name} and ${name}_FILE are both set: keep one of them.`]);
  }
  let secret: string;
  try {
    secret = readFileSync(file, 'utf8').trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new SettingsError([`${name}_FILE is wrong: ${file} cannot be read (${code}).`]);
  }
  if (secret === '') throw new SettingsError([`${name}_FILE is wrong: ${file} is empty.`]);
  return { ...environment, [name]: secret };
}
