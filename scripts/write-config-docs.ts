/** Writes `.env.example`, the README's settings and the table of errors from the code. A test fails when they differ. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { PROJECT_ROOT } from '../src/base/project-root.ts';
import { envExample, withErrorsTable, withSettingsTables } from '../src/config/describe.ts';

async function rewrite(name: string, change: (markdown: string) => string): Promise<void> {
  const file = join(PROJECT_ROOT, name);
  const markdown = change(await readFile(file, 'utf8'));
  await writeFile(file, await format(markdown, { ...(await resolveConfig(file)), parser: 'markdown' }));
}

await writeFile(join(PROJECT_ROOT, '.env.example'), envExample());
await rewrite('README.md', withSettingsTables);
await rewrite('docs/errors.md', withErrorsTable);
console.log('Wrote .env.example and the tables in README.md and docs/errors.md.');
