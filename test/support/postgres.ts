import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { inject } from 'vitest';
import { postgresUrl } from './postgres-server.ts';

/** How long a test waits for the run's server to start, in milliseconds. */
const START_MS = 30_000;

let made = 0;

/** The address of an empty database on the run's PostgreSQL server. */
export async function createTestDatabase(): Promise<string> {
  const port = inject('postgresPort');
  made += 1;
  const name = `test_${String(process.pid)}_${String(Date.now())}_${String(made)}`;
  await onServer(port, (client) => client.query(`CREATE DATABASE ${name}`));
  return postgresUrl(port, name);
}

/** Takes a database away, with whoever is still connected to it. */
export async function dropTestDatabase(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  await onServer(Number(new URL(url).port), (client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`));
}

/** Carries out one statement on a database. */
export async function onDatabase(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function onServer(port: number, work: (client: Client) => Promise<unknown>): Promise<void> {
  const last = Date.now() + START_MS;
  for (;;) {
    const client = new Client({ connectionString: postgresUrl(port, 'postgres') });
    try {
      await client.connect();
    } catch (error) {
      if (Date.now() > last) throw error;
      await wait(50);
      continue;
    }
    try {
      await work(client);
      return;
    } finally {
      await client.end();
    }
  }
}
