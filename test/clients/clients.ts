import { AGENTS } from './adapters/agents.ts';
import { AI_SDKS } from './adapters/ai-sdk.ts';
import { CURL } from './adapters/curl.ts';
import { INSTRUCTOR } from './adapters/instructor.ts';
import { LANGCHAIN } from './adapters/langchain.ts';
import { LLAMAINDEX } from './adapters/llamaindex.ts';
import { OPENAI_SDKS } from './adapters/openai-sdk.ts';
import type { Client } from './client.ts';

/** Every client of the matrix, in the order of the table. */
export const CLIENTS: Client[] = [
  ...OPENAI_SDKS,
  ...AI_SDKS,
  LANGCHAIN,
  AGENTS,
  LLAMAINDEX,
  INSTRUCTOR,
  CURL,
];
