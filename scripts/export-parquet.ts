/** `npm run export:parquet -- FOLDER`: writes the projection's tables as Parquet. The server may be running. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { exportParquet } from '../src/causal/analytics/export-parquet.ts';
import { RECORD_FILE } from '../src/config/data-folder.ts';
import { openSqliteStore } from '../src/store/sqlite/open-sqlite-store.ts';
import { dataSettings, readArguments, runScript, UsageError } from './run-script.ts';

const USAGE = 'Name the folder: npm run export:parquet -- FOLDER';

await runScript(async () => {
  const [target] = readArguments([], USAGE).names;
  if (target === undefined) throw new UsageError(USAGE);
  const { folder, key } = await dataSettings(false);
  const record = join(folder, RECORD_FILE);
  if (!existsSync(record)) throw new UsageError(`There is no record at ${record}; see CCC_DATA_DIR.`);
  const dal = await openSqliteStore({ file: record, threads: false, key });
  try {
    const written = await exportParquet(dal, resolve(target));
    for (const [name, rows] of Object.entries(written)) console.log(`${name}.parquet  ${String(rows)} rows`);
    if (key !== null)
      console.error('The record is encrypted; these files are not: keep them as safe as the key.');
  } finally {
    await dal.close();
  }
});
