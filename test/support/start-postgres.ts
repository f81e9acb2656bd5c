import type { TestProject } from 'vitest/node';
import { createPostgresServer, freePort, type PostgresServer } from './postgres-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the PostgreSQL server of this run listens, or will listen in a moment. */
    postgresPort: number;
  }
}

/** One PostgreSQL server for a whole run. Nobody waits for its start but the tests that need it. */
export default async function startPostgres(project: TestProject): Promise<() => Promise<void>> {
  const port = await freePort();
  project.provide('postgresPort', port);
  const started: Promise<PostgresServer | null> = createPostgresServer({ port }).catch((error: unknown) => {
    // The tests that need it say so by failing.
    console.error(error);
    return null;
  });
  return async () => {
    await (await started)?.remove();
  };
}
