/** `npm run export:parquet -- FOLDER`: writes the projection's tables as Parquet. The server may be running. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { exportParquet } from '../src/causal/analytics/export-parquet.ts';
import { loadSettings, readEnvironment } from '../src/config/load.ts';
import { openSqliteStore } from '../src/store/sqlite/open-sqlite-store.ts';

const [folder] = process.argv.slice(2);
const { settings } = loadSettings(readEnvironment());
const record = join(resolve(settings.CCC_DATA_DIR), 'ccc.db');
if (folder === undefined || !existsSync(record)) {
  console.error(
    folder === undefined
      ? 'Name the folder: npm run export:parquet -- FOLDER'
      : `There is no record at ${record}; see CCC_DATA_DIR.`,
  );
  process.exit(1);
}
const dal = await openSqliteStore({ file: record, threads: false });
try {
  const written = await exportParquet(dal, resolve(folder));
  for (const [name, rows] of Object.entries(written)) console.log(`${name}.parquet  ${String(rows)} rows`);
} finally {
  await dal.close();
}
