import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { PROJECT_ROOT } from '../../src/base/project-root.ts';
import { allowedValues } from '../../src/config/allowed-values.ts';
import { envExample, helpText, settingsTables, withSettingsTables } from '../../src/config/describe.ts';
import { loadSettings } from '../../src/config/load.ts';
import { SETTINGS } from '../../src/config/schema.ts';

describe('what the settings’ documents say', () => {
  it('.env.example is what the schema says (npm run config-docs)', async () => {
    expect(await readFile(join(PROJECT_ROOT, '.env.example'), 'utf8')).toBe(envExample());
  });

  it('.env.example with its comment signs taken away is the defaults', () => {
    const values = parse(envExample().replaceAll(/^# (?=[A-Z_]+=)/gm, ''));
    expect(Object.keys(values).sort()).toEqual(Object.keys(SETTINGS).sort());
    expect(loadSettings(values).settings).toEqual(loadSettings({}).settings);
  });

  it('the tables, .env.example and --help say which values a setting takes', () => {
    const row = (name: string) => new RegExp(`^\\| \`${name}\` .*$`, 'm').exec(settingsTables())?.[0];
    expect(row('CCC_COVENANT_DEFAULT')).toContain('| `cycle`, `direct` |');
    expect(row('CCC_INSECURE')).toContain('| `0`, `1` |');
    expect(row('CCC_MAX_ROUNDS')).toContain('| 1 to 10 |');
    expect(row('CCC_RETENTION_DAYS')).toContain('| 1 to 36500 |');
    expect(row('OPENAI_MODEL')).toContain('|  |');
    for (const text of [envExample(), helpText('1.2.3')]) {
      expect(text).toContain('says. One of cycle, direct.\n');
      expect(text).toContain('Most revisions in a cycle. A whole number from 1 to 10.\n');
    }
  });

  it('each value that is listed is taken, and the next one is not', () => {
    const taken = (name: string, value: string) => {
      try {
        loadSettings({ [name]: value });
        return true;
      } catch (error) {
        // Right by itself, and refused together with another: not the question here.
        return !String(error).includes(`${name} is wrong`);
      }
    };
    const all = Object.entries(SETTINGS).flatMap(([name, { schema }]) => {
      const allowed = allowedValues(schema);
      return allowed ? [{ name, allowed }] : [];
    });
    expect(all.length).toBeGreaterThan(30);
    for (const { name, allowed } of all) {
      const right = 'oneOf' in allowed ? allowed.oneOf : [String(allowed.from), String(allowed.to)];
      const wrong =
        'oneOf' in allowed ? ['other'] : [String(allowed.from - 1), String(allowed.to + 1), '1.5'];
      expect(right.filter((value) => !taken(name, value))).toEqual([]);
      expect(wrong.filter((value) => taken(name, value))).toEqual([]);
    }
  });

  it('the README’s tables are what the schema says (npm run config-docs)', async () => {
    const file = join(PROJECT_ROOT, 'README.md');
    const readme = await readFile(file, 'utf8');
    const wanted = await format(withSettingsTables(readme), {
      ...(await resolveConfig(file)),
      parser: 'markdown',
    });
    const between = (text: string) => /<!-- settings -->([\s\S]*)<!-- \/settings -->/.exec(text)?.[1];
    expect(between(readme)).toBe(between(wanted));
    const rows = [...settingsTables().matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(rows.sort()).toEqual(Object.keys(SETTINGS).sort());
  });
});
