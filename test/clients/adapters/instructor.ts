import Instructor from '@instructor-ai/instructor';
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { z as z3 } from 'zod/v3';
import type { Client } from '../client.ts';
import { SDK_ASKS, sdkCalls } from './openai-sdk.ts';

/**
 * Instructor wraps a client of OpenAI's SDK: what has a `response_model` is its own work, all else is passed to the
 * client. Its versions 1 read schemas of Zod 3.
 */
export const INSTRUCTOR: Client = {
  name: 'Instructor',
  modules: ['@instructor-ai/instructor', 'openai'],
  source: import.meta.filename,
  ask: SDK_ASKS,
  connect({ baseURL, apiKey }) {
    // configuration: Instructor
    const client = Instructor({ client: new OpenAI({ baseURL, apiKey }), mode: 'TOOLS' });
    // end
    const wrapped = client as unknown as OpenAI;
    const rivers = z.object({ rivers: z.array(z.string()) });
    return {
      ...sdkCalls(wrapped, {
        helpers: new OpenAI({ baseURL, apiKey }).chat.completions,
        responseFormat: zodResponseFormat(rivers, 'rivers'),
      }),
      async structured({ prompt }) {
        const found: unknown = await wrapped.chat.completions.create({
          model: 'm',
          messages: [{ role: 'user', content: prompt }],
          response_model: { schema: z3.object({ rivers: z3.array(z3.string()) }), name: 'Rivers' },
        } as never);
        return { rivers: (found as { rivers: string[] }).rivers };
      },
    };
  },
};
