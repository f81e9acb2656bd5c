import { Router, type Request } from 'express';
import { z } from 'zod';
import { CccError } from '../../base/ccc-error.ts';
import { isoTime, type Clock } from '../../base/clock.ts';
import type { Settings } from '../../config/schema.ts';
import type { MemoryService } from '../../memory/memory-service.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import { readJsonBody } from '../body.ts';
import { methodNotAllowed } from '../errors.ts';
import { page } from '../memory/schemas.ts';
import { sessionOfToken } from '../session-guard.ts';
import { validate } from '../validate.ts';

export interface JobsParts {
  memory: Pick<MemoryService, 'openByToken'>;
  dal: Pick<MemoryDAL, 'jobs'>;
  clock: Clock;
  settings: Pick<Settings, 'CCC_MAX_BODY'>;
  /** Tells the runner that there is something to do. */
  nudgeJobs?: () => void;
}

const which = z.strictObject({
  job_id: z.string().min(1).max(200).optional(),
  kind: z.string().min(1).max(200).optional(),
});

/** For those who run the server: background jobs that failed too often and were set aside, and another try for them. */
export function jobsRouter({ memory, dal, clock, settings, nudgeJobs }: JobsParts): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const notForSessions = async (req: Request) => {
    if (await sessionOfToken(memory, req)) {
      throw new CccError('invalid_token', "A session's token opens its own session only.");
    }
  };

  router
    .route('/api/v2/jobs/failed')
    .get(async (req, res) => {
      const query = validate(page, req.query);
      await notForSessions(req);
      const { items, nextCursor } = await dal.jobs.failed(query);
      res.json({
        data: items.map((job) => ({
          job_id: job.jobId,
          session_id: job.sessionId,
          kind: job.kind,
          attempts: job.attempts,
          last_error: job.lastError,
          created_at: isoTime(job.createdAt),
        })),
        next_cursor: nextCursor,
      });
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/api/v2/jobs/failed/retry')
    .post(async (req, res) => {
      await notForSessions(req);
      const { json } = await readJsonBody(req, settings.CCC_MAX_BODY);
      const { job_id: jobId, kind } = validate(which, json);
      const retried = await dal.jobs.retry({
        ...(jobId === undefined ? {} : { jobId }),
        ...(kind === undefined ? {} : { kind }),
        now: clock.now(),
      });
      nudgeJobs?.();
      res.json({ retried });
    })
    .all(methodNotAllowed('POST'));
  return router;
}
