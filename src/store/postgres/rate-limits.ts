import type { QueryConfig } from 'pg';
import { RateLimiterMemory, RateLimiterPostgres, type RateLimiterAbstract } from 'rate-limiter-flexible';
import type { SharedRateLimits } from '../shared-record.ts';
import type { Connections } from './connections.ts';

/** Longest wait for the common count, in milliseconds: a request that the record is not needed for does not wait for it. */
const LONGEST_WAIT_MS = 1_000;

/** Counts in the table that all servers share; each by itself while the database does not answer. */
export function postgresRateLimits(connections: Connections): SharedRateLimits {
  const storeClient = {
    query: (query: QueryConfig) =>
      withLimit(connections.alone((client) => client.query(query)) as Promise<unknown>),
  };
  return {
    limiter: ({ name, points, durationS }): RateLimiterAbstract => {
      const common = { keyPrefix: name, points, duration: durationS };
      return new RateLimiterPostgres({
        ...common,
        storeClient,
        storeType: 'client',
        tableName: 'rate_limits',
        tableCreated: true,
        insuranceLimiter: new RateLimiterMemory(common),
      });
    },
  };
}

function withLimit<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error('The database does not answer.'));
    }, LONGEST_WAIT_MS);
    answer.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}
