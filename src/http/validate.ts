import type { z } from 'zod';
import { CccError } from '../base/ccc-error.ts';

/**
 * Checks a value that came from outside. The error names the field by its path (`turns.0.agent`).
 * @throws invalid_request
 */
export function validate<T extends z.ZodType>(schema: T, value: unknown, prefix = ''): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const unknownKeys = issue?.code === 'unrecognized_keys' ? [issue.keys[0] ?? ''] : [];
  const path = [prefix, ...(issue?.path ?? []), ...unknownKeys]
    .map(String)
    .filter((part) => part !== '')
    .join('.');
  throw new CccError('invalid_request', path === '' ? issue?.message : `${path}: ${issue?.message ?? ''}`, {
    ...(path === '' ? {} : { param: path }),
  });
}
