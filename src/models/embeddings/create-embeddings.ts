import { join } from 'node:path';
import type { Logger } from '../../base/logger.ts';
import type { EmbeddingProvider } from './embedding-provider.ts';
import { LocalEmbeddings } from './local/local-embeddings.ts';
import { createOpenAiEmbeddings } from './openai-embeddings.ts';

const OPENAI = 'https://api.openai.com/v1';
/** What is taken when the settings name no model. */
const DEFAULT_MODELS = { local: 'all-MiniLM-L6-v2', openai: 'text-embedding-3-small' };
/** Whose conversions to ONNX are meant by a name without an owner. */
const OWNER = 'Xenova';

export interface EmbeddingChoice {
  embeddings: 'off' | 'local' | 'openai';
  model: string | undefined;
  dataFolder: string;
  apiKey: string | undefined;
  baseUrl: string | undefined;
  timeoutMs: number;
  maxRetries: number;
  logger: Logger;
}

/** The embeddings that the settings ask for; null when they ask for none. */
export function createEmbeddings(choice: EmbeddingChoice): EmbeddingProvider | null {
  if (choice.embeddings === 'off') return null;
  const model = choice.model ?? DEFAULT_MODELS[choice.embeddings];
  if (choice.embeddings === 'openai') {
    return createOpenAiEmbeddings({ ...choice, model, baseUrl: choice.baseUrl ?? OPENAI });
  }
  return new LocalEmbeddings({
    model: model.includes('/') ? model : `${OWNER}/${model}`,
    folder: join(choice.dataFolder, 'models'),
    download: true,
    logger: choice.logger,
  });
}
