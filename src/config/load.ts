import { config as readDotenv } from 'dotenv';
import { allowedValues, inWords } from './allowed-values.ts';
import { isLoopback } from './loopback.ts';
import { SETTINGS, type Settings } from './schema.ts';
import { withSecretFile } from './secret-file.ts';
import { SettingsError } from './settings-error.ts';
import { warningsOf } from './warnings.ts';

export { SettingsError } from './settings-error.ts';

export interface LoadedSettings {
  settings: Settings;
  /** Sentences about what looks like a mistake and does no harm. */
  warnings: string[];
}

/**
 * The environment of the process over the `.env` file of the working directory, with the encryption key from its file
 * when it is in one. @throws {SettingsError}
 */
export function readEnvironment(): Record<string, string | undefined> {
  const fromFile: Record<string, string> = {};
  readDotenv({ quiet: true, processEnv: fromFile });
  return withSecretFile({ ...fromFile, ...process.env }, 'CCC_ENCRYPTION_KEY');
}

/** Checks all settings at once. Empty values count as unset. @throws {SettingsError} */
export function loadSettings(environment: Record<string, string | undefined>): LoadedSettings {
  const problems: string[] = [];
  const entries = Object.entries(SETTINGS).map(([name, setting]) => {
    const given = environment[name]?.trim();
    const text = given === undefined || given === '' ? setting.default : given;
    const result = setting.schema.safeParse(text);
    if (!result.success) {
      const allowed = allowedValues(setting.schema);
      const why = allowed
        ? `must be ${inWords(allowed)}`
        : result.error.issues.map((issue) => issue.message).join('; ');
      const value = 'secret' in setting ? '' : ` (it is ${JSON.stringify(withoutPassword(text))})`;
      problems.push(`${name} is wrong: ${why}${value}.`);
    }
    return [name, result.data] as const;
  });
  if (problems.length > 0) throw new SettingsError(problems);
  const settings = Object.freeze(Object.fromEntries(entries)) as Settings;
  const together = checkTogether(settings);
  if (together.length > 0) throw new SettingsError(together);
  return { settings, warnings: warningsOf(environment, settings) };
}

/** An address may hold a user's name and password before its host. */
function withoutPassword(text: string): string {
  return text.replace(/(:\/\/)[^/?#]*@/, '$1…@');
}

/** Settings that are right one by one and wrong together. */
function checkTogether(settings: Settings): string[] {
  const problems: string[] = [];
  for (const origin of settings.CORS_ORIGINS) {
    if (origin !== '*' && !isOrigin(origin)) {
      problems.push(
        `CORS_ORIGINS is wrong: ${JSON.stringify(origin)} is not an origin such as https://app.example.org.`,
      );
    }
  }
  if (settings.CORS_ORIGINS.includes('*') && settings.OPENAI_API_KEY !== undefined) {
    problems.push(
      'CORS_ORIGINS=* is refused together with OPENAI_API_KEY: every web page could spend the key. Name the origins.',
    );
  }
  if (!isLoopback(settings.HOST) && settings.CCC_API_KEYS.length === 0 && !settings.CCC_INSECURE) {
    problems.push(
      `HOST=${settings.HOST} is refused without CCC_API_KEYS: everyone who can reach this address could use the key and read the memory. Make a key with "npm run api-key -- name", or set CCC_INSECURE=1.`,
    );
  }
  if (
    settings.CCC_EMBEDDINGS === 'openai' &&
    settings.OPENAI_API_KEY === undefined &&
    settings.OPENAI_BASE_URL === undefined
  ) {
    problems.push(
      'CCC_EMBEDDINGS=openai needs OPENAI_API_KEY or OPENAI_BASE_URL; CCC_EMBEDDINGS=local needs neither.',
    );
  }
  if (settings.CCC_DATABASE_URL !== undefined && settings.CCC_ENCRYPTION_KEY !== undefined) {
    problems.push(
      'CCC_ENCRYPTION_KEY is refused together with CCC_DATABASE_URL: it encrypts a SQLite file. Encrypt the disk of the database instead.',
    );
  }
  const names = settings.CCC_API_KEYS.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) problems.push(`CCC_API_KEYS is wrong: ${twice} is named twice.`);
  return problems;
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;
}
