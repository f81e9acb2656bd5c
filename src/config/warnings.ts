import { isLoopback } from './loopback.ts';
import { SETTINGS, type SettingName, type Settings } from './schema.ts';

/** Sentences about what looks like a mistake and does no harm. No value is in them. */
export function warningsOf(environment: Record<string, string | undefined>, settings: Settings): string[] {
  return [
    ...unknownNames(environment),
    ...otherNames(environment),
    ...noKey(settings),
    ...openDoors(settings),
  ];
}

/** What the README and the examples put into a client's environment. The server does not read them. */
const OF_CLIENTS = ['CCC_SESSION_TOKEN', 'CCC_URL'];

/** Names by which other programs call a setting. */
const OTHER_NAMES: Record<string, SettingName> = {
  OPENAI_API_BASE: 'OPENAI_BASE_URL',
  OPENAI_API_BASE_URL: 'OPENAI_BASE_URL',
};

function unknownNames(environment: Record<string, string | undefined>): string[] {
  return Object.keys(environment)
    .filter((name) => name.startsWith('CCC_') && !(name in SETTINGS) && !OF_CLIENTS.includes(name))
    .map((name) => noSuchSetting(name, nearest(name)));
}

/** Said only where the right name is not there too: then the other one is another program's. */
function otherNames(environment: Record<string, string | undefined>): string[] {
  const isSet = (name: string) => (environment[name] ?? '').trim() !== '';
  return Object.entries(OTHER_NAMES)
    .filter(([name, meant]) => isSet(name) && !isSet(meant))
    .map(([name, meant]) => noSuchSetting(name, meant));
}

function noSuchSetting(name: string, meant: SettingName | null): string {
  return `${name} is set, but there is no such setting${meant ? `; did you mean ${meant}?` : '.'}`;
}

function noKey({ CCC_PROVIDER, OPENAI_API_KEY, OPENAI_BASE_URL }: Settings): string[] {
  const isOpenAi = OPENAI_BASE_URL
    ? new URL(OPENAI_BASE_URL).hostname === 'api.openai.com'
    : CCC_PROVIDER === 'openai';
  return isOpenAi && CCC_PROVIDER !== 'rehearsal' && OPENAI_API_KEY === undefined
    ? [
        'OPENAI_API_KEY is not set: api.openai.com will refuse every call. Set it, or set OPENAI_BASE_URL to a server that needs no key.',
      ]
    : [];
}

function openDoors({ HOST, CCC_API_KEYS }: Settings): string[] {
  return isLoopback(HOST) || CCC_API_KEYS.length > 0
    ? []
    : [`HOST is ${HOST}: everyone who can reach this address can use the key and read the memory.`];
}

/** The known name that is nearest, when it is near. */
function nearest(name: string): SettingName | null {
  const [first] = (Object.keys(SETTINGS) as SettingName[])
    .map((known) => ({ known, distance: editDistance(name, known) }))
    .sort((a, b) => a.distance - b.distance);
  return first && first.distance <= 3 ? first.known : null;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const change = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(change, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
