import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCausalMemory, type CausalMemory } from '../../src/causal/create-causal-memory.ts';
import { openDuck } from '../../src/causal/projection/duckdb.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { link, newSession, openMemory, tellEvents } from './support.ts';

/** A session with a story that branches, and everything one can ask about it. */
async function story(dal: MemoryDAL, causal: CausalMemory) {
  const sessionId = await newSession(dal);
  const [rain, leak, mould, move, roof] = await tellEvents(causal, sessionId, [
    'it rained for a week',
    'the roof leaked',
    'mould grew on the wall',
    'Ana moved out',
    'the roof was mended',
  ]);
  await causal.addLinks(sessionId, [
    link(rain, leak, 'caused', { confidence: 0.9 }),
    link(leak, mould, 'caused', { confidence: 0.8, explanation: 'the wall stayed wet' }),
    link(mould, move, 'caused', { confidence: 0.7 }),
    link(roof, leak, 'prevented', { confidence: 0.6 }),
  ]);
  const ask = async (memory: CausalMemory) => ({
    why: await memory.why(sessionId, move!.eventId),
    effects: await memory.effects(sessionId, rain!.eventId),
    prevented: await memory.preventedBy(sessionId, leak!.eventId),
    graph: await memory.graph({ sessionId, aroundEventId: null, limit: 3 }),
    near: await memory.graph({ sessionId, aroundEventId: leak!.eventId, limit: 4 }),
    told: (await memory.narrative({ sessionId, query: 'Why did Ana move out?', maxTokens: 500 })).text,
  });
  return { sessionId, ask, events: { rain, leak, mould, move, roof } };
}

/** The same record under a projection that is opened anew, as after a restart. */
function reopen(dal: MemoryDAL, projectionFile: string): CausalMemory {
  const causal = createCausalMemory({ store: dal.causal, projectionFile });
  onTestFinished(() => causal.close());
  return causal;
}

describe('the projection follows the record', () => {
  it('answers with what was stored a moment ago', async () => {
    const { dal, causal } = await openMemory();
    const { sessionId, ask, events } = await story(dal, causal);
    const before = await ask(causal);
    expect(before.why.chain.eventIds).toEqual(
      [events.rain, events.leak, events.mould, events.move].map((event) => event!.eventId),
    );
    expect(before.why.chain.confidence).toBeCloseTo(0.9 * 0.8 * 0.7);
    expect(before.prevented.map(({ event }) => event.eventId)).toEqual([events.roof!.eventId]);
    const [wind] = await tellEvents(causal, sessionId, ['a storm broke the tiles']);
    await causal.addLinks(sessionId, [link(wind, events.rain)]);
    expect((await causal.why(sessionId, events.move!.eventId)).chain.eventIds).toHaveLength(5);
    await causal.removeEvent(sessionId, events.mould!.eventId);
    expect((await causal.why(sessionId, events.move!.eventId)).nodes).toHaveLength(1);
  });

  it('follows by itself in the background, and says how far behind it is', async () => {
    const { dal, causal } = await openMemory();
    await story(dal, causal);
    expect((await causal.status()).lag).toBe(9);
    causal.start();
    await expect.poll(async () => (await causal.status()).lag, { timeout: 10_000 }).toBe(0);
    expect(await causal.status()).toEqual({ available: true, reason: null, lag: 0 });
  });

  it('is not opened by a start without causes', async () => {
    const { causal, projectionFile } = await openMemory();
    causal.start();
    await causal.close();
    expect(existsSync(projectionFile)).toBe(false);
  });

  it('forgets an erased session, also in a file that nobody has opened since', async () => {
    const { dal, causal, projectionFile } = await openMemory();
    const { sessionId, ask } = await story(dal, causal);
    const kept = await story(dal, causal);
    await ask(causal);
    const before = await kept.ask(causal);
    await causal.close();
    const later = reopen(dal, projectionFile);
    await dal.sessions.erase(sessionId);
    await later.eraseSession(sessionId);
    await expect(ask(later)).rejects.toMatchObject({ code: 'session_not_found' });
    expect(await kept.ask(later)).toEqual(before);
    await later.close();
    const duck = await openDuck(projectionFile);
    for (const table of ['heads', 'events', 'links']) {
      expect(await duck.rows(`SELECT count(DISTINCT session_key) FROM ${table}`)).toEqual([[1]]);
    }
    duck.close();
    expect(readFileSync(projectionFile).includes(sessionId)).toBe(false);
  });
});

describe('whatever happens to its file, the answers are equal', () => {
  const damages: [string, (file: string) => Promise<void> | void][] = [
    ['deleted', (file) => rmSync(file)],
    ['empty', (file) => truncateSync(file, 0)],
    ['cut short', (file) => truncateSync(file, Math.floor(statSync(file).size / 2))],
    ['cut within its header', (file) => truncateSync(file, 1000)],
    ['garbage', (file) => writeFileSync(file, Buffer.alloc(50_000, 'not a database '))],
    [
      'overwritten in the middle',
      (file) => {
        const bytes = readFileSync(file);
        bytes.fill(0xa5, 8192, bytes.length);
        writeFileSync(file, bytes);
      },
    ],
    ['with a log of nonsense beside it', (file) => writeFileSync(`${file}.wal`, Buffer.alloc(9000, 7))],
    [
      'of an older version',
      async (file) => {
        const duck = await openDuck(file);
        await duck.run('UPDATE meta SET version = 0');
        await duck.run('DROP TABLE links');
        duck.close();
      },
    ],
    [
      'of another record: the same key, another session',
      async (file) => {
        const duck = await openDuck(file);
        await duck.run(`UPDATE heads SET stamp = stamp + 1`);
        await duck.run('UPDATE links SET cause_no = effect_no, effect_no = cause_no');
        duck.close();
      },
    ],
    [
      'ahead of a record that was put back from a backup',
      async (file) => {
        const duck = await openDuck(file);
        await duck.run('UPDATE heads SET through = through + 5');
        await duck.run('DELETE FROM links');
        duck.close();
      },
    ],
  ];
  it.each(damages)('%s', async (_name, damage) => {
    const { dal, causal, projectionFile } = await openMemory();
    const { ask } = await story(dal, causal);
    const before = await ask(causal);
    await causal.close();
    expect(existsSync(projectionFile)).toBe(true);
    await damage(projectionFile);
    const after = reopen(dal, projectionFile);
    expect(await ask(after)).toEqual(before);
    expect((await after.status()).available).toBe(true);
    await after.close();
    // And it is a whole file again.
    expect(await ask(reopen(dal, projectionFile))).toEqual(before);
  });

  it('removed while it is in use, and found damaged only when it is asked', async () => {
    const { dal, causal, projectionFile } = await openMemory();
    const { ask } = await story(dal, causal);
    const before = await ask(causal);
    rmSync(projectionFile);
    expect(await ask(causal)).toEqual(before);
  });

  it('held by another process: it answers from memory, says so, and takes the file when it is free', async () => {
    const { dal, causal, projectionFile } = await openMemory();
    const { ask } = await story(dal, causal);
    const before = await ask(causal);
    await causal.close();
    const holder = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { DuckDBInstance } from '@duckdb/node-api';
         const instance = await DuckDBInstance.create(${JSON.stringify(projectionFile)});
         await instance.connect();
         console.log('held');
         setInterval(() => instance, 1000);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], cwd: join(import.meta.dirname, '../..') },
    );
    onTestFinished(() => void holder.kill('SIGKILL'));
    await once(holder.stdout, 'data');
    const meanwhile = reopen(dal, projectionFile);
    expect(await ask(meanwhile)).toEqual(before);
    const status = await meanwhile.status();
    expect(status.available).toBe(true);
    expect(status.reason).toContain('Another process');
    const gone = once(holder, 'exit');
    holder.kill('SIGKILL');
    await gone;
    await meanwhile.close();
    const later = reopen(dal, projectionFile);
    expect(await ask(later)).toEqual(before);
    expect((await later.status()).reason).toBeNull();
  });

  it('a process killed while it writes: the next start answers from the record', async () => {
    const { dal, causal, folder, projectionFile } = await openMemory();
    const { ask, sessionId } = await story(dal, causal);
    const before = await ask(causal);
    await causal.close();
    const writer = spawn(
      process.execPath,
      [
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        `import { openSqliteStore } from './src/store/sqlite/open-sqlite-store.ts';
         import { createCausalMemory } from './src/causal/create-causal-memory.ts';
         const dal = await openSqliteStore({ file: ${JSON.stringify(join(folder, 'other.db'))}, threads: false });
         const causal = createCausalMemory({ store: dal.causal, projectionFile: ${JSON.stringify(projectionFile)} });
         await dal.sessions.create({ sessionId: 's', tokenHash: 't', userPreferences: {}, initialContext: null, now: 1 });
         for (let i = 0; ; i += 1) {
           const [event] = await causal.addEvents('s', [{ text: 'event ' + i }]);
           await causal.why('s', event.eventId);
           if (i === 20) console.log('writing');
         }`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], cwd: join(import.meta.dirname, '../..') },
    );
    onTestFinished(() => void writer.kill('SIGKILL'));
    await once(writer.stdout, 'data');
    const gone = once(writer, 'exit');
    writer.kill('SIGKILL');
    await gone;
    const after = reopen(dal, projectionFile);
    expect(await ask(after)).toEqual(before);
    expect((await dal.causal.head(sessionId))?.changeSeq).toBe(9);
  });
});
