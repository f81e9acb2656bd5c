/** Writes `.env.example` and the README's table of settings from the schema. A test fails when they differ. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { PROJECT_ROOT } from '../src/base/project-root.ts';
import { envExample, withSettingsTable } from '../src/config/describe.ts';

const file = join(PROJECT_ROOT, 'README.md');
const readme = withSettingsTable(await readFile(file, 'utf8'));
await writeFile(file, await format(readme, { ...(await resolveConfig(file)), parser: 'markdown' }));
await writeFile(join(PROJECT_ROOT, '.env.example'), envExample());
console.log('Wrote .env.example and the settings in README.md.');
