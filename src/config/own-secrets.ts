import { SETTINGS, type Setting, type SettingName, type Settings } from './schema.ts';

/** The secrets that this server was given, each by the name of its setting: `OPENAI_API_KEY` is `openai-api-key`. */
export function ownSecrets(settings: Settings): { name: string; secret: string }[] {
  return Object.entries(SETTINGS as Record<string, Setting>).flatMap(([setting, { secret }]) => {
    const value = settings[setting as SettingName];
    if (secret !== true || typeof value !== 'string') return [];
    const name = setting.toLowerCase().replaceAll('_', '-');
    return partsOf(setting, value).map((part) => ({ name, secret: part }));
  });
}

/** What turns up elsewhere by itself: the values of `name=value,name=value`, the password of an address. */
function partsOf(setting: string, value: string): string[] {
  if (setting.endsWith('_HEADERS')) return value.split(',').map(afterEquals);
  if (setting.endsWith('_URL')) return [decodeURIComponentOr(new URL(value).password)].filter(Boolean);
  return [value];
}

function afterEquals(pair: string): string {
  return decodeURIComponentOr(pair.slice(pair.indexOf('=') + 1).trim());
}

function decodeURIComponentOr(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
