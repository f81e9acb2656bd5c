import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createCausalMemory } from '../../src/causal/create-causal-memory.ts';
import { openDuck } from '../../src/causal/projection/duckdb.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { link, newSession, tellEvents, temporaryFolder } from './support.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const script = (argumentsOf: string[], data: string) =>
  run(process.execPath, ['--import', 'tsx', 'scripts/export-parquet.ts', ...argumentsOf], {
    cwd: root,
    env: { ...process.env, CCC_DATA_DIR: data },
  });

describe('npm run export:parquet', () => {
  it('writes the tables while somebody else has the record and the projection open', async () => {
    const data = temporaryFolder();
    const dal = await openSqliteStore({ file: join(data, 'ccc.db'), threads: false });
    const causal = createCausalMemory({ store: dal.causal, projectionFile: join(data, 'causal.duckdb') });
    const sessionId = await newSession(dal);
    const [rain, leak] = await tellEvents(causal, sessionId, ['it rained', 'the roof leaked']);
    await causal.addLinks(sessionId, [link(rain, leak, 'enabled', { confidence: 0.25 })]);
    await causal.why(sessionId, leak!.eventId);
    const folder = join(data, "the owner's files");
    mkdirSync(folder);
    const { stdout } = await script([folder], data);
    expect(stdout).toContain('events.parquet  2 rows');
    await causal.close();
    await dal.close();
    const duck = await openDuck(null);
    const read = (name: string) => `read_parquet('${join(folder, name).replaceAll("'", "''")}')`;
    expect(
      await duck.rows(
        `SELECT session_id, cause_no, effect_no, relation, confidence, judged_by FROM ${read('links.parquet')}`,
      ),
    ).toEqual([[sessionId, 1, 2, 'enabled', 0.25, 'person']]);
    expect(await duck.rows(`SELECT count(*) FROM ${read('cycles.parquet')}`)).toEqual([[0]]);
    duck.close();
  });

  it('says what is missing', async () => {
    const data = temporaryFolder();
    await expect(script([], data)).rejects.toMatchObject({
      stderr: expect.stringContaining('Name the folder'),
    });
    await expect(script([join(data, 'out')], data)).rejects.toMatchObject({
      stderr: expect.stringContaining('There is no record'),
    });
  });
});
