import { Router } from 'express';
import { z } from 'zod';
import { isoTime } from '../../base/clock.ts';
import { LONGEST } from '../../memory/facts/fact-words.ts';
import { readJsonBody } from '../body.ts';
import { methodNotAllowed } from '../errors.ts';
import { checkToken } from '../session-guard.ts';
import { validate } from '../validate.ts';
import type { MemoryParts } from './parts.ts';
import { flag, page, time } from './schemas.ts';
import { factView } from './views.ts';

const words = (longest: number) => z.string().trim().min(1).max(longest);

/** What a new fact is. */
export const fact = z.strictObject({
  subject: words(LONGEST.subject),
  attribute: words(LONGEST.attribute),
  value: words(LONGEST.value),
  text: words(LONGEST.text).optional(),
  exclusive: z.boolean().optional(),
  valid_from: time.optional(),
  pinned: z.boolean().optional(),
});

/** What may be corrected of one. */
export const correction = fact
  .partial()
  .extend({ valid_until: time.nullish(), expected_version: z.number().int().min(1).optional() })
  .refine(({ expected_version: _, ...changes }) => Object.keys(changes).length > 0, {
    message: 'names nothing to change',
  });

const list = page.extend({ history: flag.default(false) });

/** What is known of the person: to be looked at, added to, set right, pinned and forgotten by them. */
export function factsRouter({ memory, settings }: Pick<MemoryParts, 'memory' | 'settings'>): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router
    .route('/api/v2/sessions/:id/facts')
    .get(async (req, res) => {
      const { id } = req.params;
      await checkToken(memory, req, id);
      const { history, limit, cursor } = validate(list, req.query);
      const { items, nextCursor } = await memory.listFacts({
        sessionId: id,
        current: !history,
        limit,
        cursor,
      });
      res.json({ data: items.map(factView), next_cursor: nextCursor });
    })
    .post(async (req, res) => {
      const { id } = req.params;
      await checkToken(memory, req, id);
      const { json } = await readJsonBody(req, settings.CCC_MAX_BODY);
      const body = validate(fact, json);
      const { subject, attribute, value } = body;
      const stored = await memory.addFact({ sessionId: id, subject, attribute, value, ...restOf(body) });
      res.status(201).json(factView(stored));
    })
    .all(methodNotAllowed('GET', 'POST'));

  router
    .route('/api/v2/sessions/:id/facts/:factId')
    .get(async (req, res) => {
      const { id, factId } = req.params;
      await checkToken(memory, req, id);
      const { fact: record, versions } = await memory.getFact(id, factId);
      res.json({
        ...factView(record),
        versions: versions.map(({ validFrom, endedAt, until, ...version }) => ({
          ...version,
          valid_from: isoTime(validFrom),
          ended_at: endedAt === null ? null : isoTime(endedAt),
          corrected_at: isoTime(until),
        })),
      });
    })
    .patch(async (req, res) => {
      const { id, factId } = req.params;
      await checkToken(memory, req, id);
      const { json } = await readJsonBody(req, settings.CCC_MAX_BODY);
      const body = validate(correction, json);
      const { subject, attribute, value, valid_until: validUntil, expected_version: version } = body;
      const corrected = await memory.correctFact({
        sessionId: id,
        factId,
        ...(version === undefined ? {} : { expectedVersion: version }),
        changes: {
          ...(subject === undefined ? {} : { subject }),
          ...(attribute === undefined ? {} : { attribute }),
          ...(value === undefined ? {} : { value }),
          ...(validUntil === undefined ? {} : { validUntil }),
          ...restOf(body),
        },
      });
      res.json(factView(corrected));
    })
    .delete(async (req, res) => {
      const { id, factId } = req.params;
      await checkToken(memory, req, id);
      await memory.forgetFact(id, factId);
      res.status(204).end();
    })
    .all(methodNotAllowed('GET', 'PATCH', 'DELETE'));
  return router;
}

function restOf({
  text,
  exclusive,
  valid_from: validFrom,
  pinned,
}: Partial<Pick<z.output<typeof fact>, 'text' | 'exclusive' | 'valid_from' | 'pinned'>>) {
  return {
    ...(text === undefined ? {} : { text }),
    ...(exclusive === undefined ? {} : { exclusive }),
    ...(validFrom === undefined ? {} : { validFrom }),
    ...(pinned === undefined ? {} : { pinned }),
  };
}
