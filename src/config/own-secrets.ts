import { SETTINGS, type Setting, type SettingName, type Settings } from './schema.ts';

/** The secrets that this server was given, each by the name of its setting: `OPENAI_API_KEY` is `openai-api-key`. */
export function ownSecrets(settings: Settings): { name: string; secret: string }[] {
  return Object.entries(SETTINGS as Record<string, Setting>).flatMap(([setting, { secret }]) => {
    const value = settings[setting as SettingName];
    if (secret !== true || typeof value !== 'string') return [];
    const name = setting.toLowerCase().replaceAll('_', '-');
    // `name=value,name=value`: the values alone turn up elsewhere.
    const parts = setting.endsWith('_HEADERS') ? value.split(',').map(afterEquals) : [value];
    return parts.map((part) => ({ name, secret: part }));
  });
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
