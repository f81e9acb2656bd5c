/** How an embedding model is doing. */
export interface EmbeddingState {
  state: 'idle' | 'loading' | 'ready' | 'failing';
  /** Why it is failing, fit for a log; null otherwise. */
  reason: string | null;
}

export interface EmbedOptions {
  signal: AbortSignal;
  /** Somebody waits for it: goes before what is made in the background, and is not tried again. */
  urgent: boolean;
}

/** A source of text embeddings. */
export interface EmbeddingProvider {
  /** Names what made a vector: provider, model and form. Vectors of different names are never compared. */
  readonly model: string;
  state(): EmbeddingState;
  /** Begins to load the model when there is something to load. Never throws. */
  prepare(): void;
  /**
   * One vector of length 1 for each text, in order. Texts longer than the model reads are cut.
   * @throws {EmbeddingError}
   */
  embed(texts: string[], options: EmbedOptions): Promise<Float32Array[]>;
  close(): Promise<void>;
}

/** No vectors came. */
export class EmbeddingError extends Error {
  override readonly name = 'EmbeddingError';
  /** True: these texts are refused, and will be again; others may do. */
  readonly refused: boolean;

  constructor(message: string, { refused = false, cause }: { refused?: boolean; cause?: unknown } = {}) {
    super(message, cause === undefined ? {} : { cause });
    this.refused = refused;
  }
}
