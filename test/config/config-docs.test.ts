import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { PROJECT_ROOT } from '../../src/base/project-root.ts';
import { envExample, settingsTable, withSettingsTable } from '../../src/config/describe.ts';
import { loadSettings } from '../../src/config/load.ts';
import { SETTINGS } from '../../src/config/schema.ts';

describe('what the settings’ documents say', () => {
  it('.env.example is what the schema says (npm run config-docs)', async () => {
    expect(await readFile(join(PROJECT_ROOT, '.env.example'), 'utf8')).toBe(envExample());
  });

  it('.env.example with its comment signs taken away is the defaults', () => {
    const values = parse(envExample().replaceAll(/^# (?=[A-Z_]+=)/gm, ''));
    expect(Object.keys(values)).toEqual(Object.keys(SETTINGS));
    expect(loadSettings(values).settings).toEqual(loadSettings({}).settings);
  });

  it('the README’s table is what the schema says (npm run config-docs)', async () => {
    const file = join(PROJECT_ROOT, 'README.md');
    const readme = await readFile(file, 'utf8');
    const wanted = await format(withSettingsTable(readme), {
      ...(await resolveConfig(file)),
      parser: 'markdown',
    });
    const between = (text: string) => /<!-- settings -->([\s\S]*)<!-- \/settings -->/.exec(text)?.[1];
    expect(between(readme)).toBe(between(wanted));
    expect(settingsTable().split('\n')).toHaveLength(Object.keys(SETTINGS).length + 2);
  });
});
