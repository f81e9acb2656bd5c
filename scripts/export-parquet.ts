/** `npm run export:parquet -- FOLDER`: writes the projection's tables as Parquet. The server may be running. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { exportParquet } from '../src/causal/analytics/export-parquet.ts';
import { RECORD_FILE } from '../src/config/data-folder.ts';
import { loadSettings, readEnvironment } from '../src/config/load.ts';
import { openSqliteStore } from '../src/store/sqlite/open-sqlite-store.ts';

const [folder] = process.argv.slice(2);
const { settings } = loadSettings(readEnvironment());
const record = join(resolve(settings.CCC_DATA_DIR), RECORD_FILE);
if (folder === undefined || !existsSync(record)) {
  console.error(
    folder === undefined
      ? 'Name the folder: npm run export:parquet -- FOLDER'
      : `There is no record at ${record}; see CCC_DATA_DIR.`,
  );
  process.exit(1);
}
const key = settings.CCC_ENCRYPTION_KEY ?? null;
const dal = await openSqliteStore({ file: record, threads: false, key });
try {
  const written = await exportParquet(dal, resolve(folder));
  for (const [name, rows] of Object.entries(written)) console.log(`${name}.parquet  ${String(rows)} rows`);
  if (key !== null)
    console.error('The record is encrypted; these files are not: keep them as safe as the key.');
} finally {
  await dal.close();
}
