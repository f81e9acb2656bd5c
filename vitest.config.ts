import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** What holds for each test, whatever its record is on. */
const common = {
  // Child processes: native modules and worker threads of one file cannot disturb another's.
  pool: 'forks',
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // On a machine that is busy with something else a step can come too late once. What fails three times is wrong.
  retry: process.env['CI'] ? 2 : 0,
  // What is waited for may take longer on a machine that is busy; whoever waits in vain waits a little longer for it.
  expect: { poll: { timeout: 10_000 } },
} as const;

export default defineConfig({
  test: {
    globalSetup: ['test/support/start-postgres.ts'],
    // Half of the cores, for servers, browsers and databases that the tests start need the other half; but three at least: a
    // test that waits for a browser or a disk leaves its core to another (two cores: 470 s in place of 560).
    maxWorkers: Math.max(3, Math.floor(availableParallelism() / 2)),
    reporters: ['default', './test/support/closing-line-reporter.ts'],
    projects: [
      { test: { ...common, name: 'CCC', include: ['test/**/*.test.ts'] } },
      {
        test: {
          ...common,
          name: 'PostgreSQL',
          // What stands on the record, once more with the record on PostgreSQL. The record's own suites (test/store) run
          // against every engine anyway.
          include: [
            'test/causal/{record,random-graphs,candidates,analytics,event-vectors,judging,retention}.test.ts',
            'test/covenant/{cycle,budgets,tools}*.test.ts',
            'test/jobs/*.test.ts',
            'test/memory/{changed-facts,habits,summaries,transfer}.test.ts',
            'test/memory/{facts,reindex,retention}/*.test.ts',
            'test/memory/retrieval/retriever.test.ts',
          ],
          env: { CCC_TEST_RECORD: 'postgres' },
        },
      },
    ],
  },
});
