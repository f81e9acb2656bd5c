import { z } from 'zod';

const model = z.string().trim().min(1).max(200);

/** `models` of a request: which model speaks for an agent in this cycle. */
export const agentModels = z.strictObject({ beatrice: model.optional(), codey: model.optional() });
