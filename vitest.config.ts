import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/start-postgres.ts'],
    // Child processes: native modules and worker threads of one file cannot disturb another's.
    pool: 'forks',
    // Half of the cores, for servers, browsers and databases that the tests start need the other half; but two at least:
    // a test that waits for a browser leaves its core to another.
    maxWorkers: Math.max(2, Math.floor(availableParallelism() / 2)),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // On a machine that is busy with something else a step can come too late once. What fails three times is wrong.
    retry: process.env['CI'] ? 2 : 0,
    reporters: ['default', './test/support/closing-line-reporter.ts'],
  },
});
