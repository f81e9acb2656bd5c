/** What the thread is started with. */
export interface LocalModelOptions {
  /** As on the hub: `Xenova/all-MiniLM-L6-v2`. */
  model: string;
  /** Where model files are looked for, and downloaded to. */
  folder: string;
  /** False: files that are not there are not fetched. */
  download: boolean;
}

/** To the thread, one at a time. */
export interface EmbedRequest {
  texts: string[];
}

/** From the thread. `values` holds the vectors one after the other. */
export type EmbedReply =
  | { kind: 'progress'; file: string; percent: number }
  | { kind: 'ready' }
  | { kind: 'unusable'; reason: string }
  | { kind: 'vectors'; values: Float32Array<ArrayBuffer> }
  | { kind: 'failed'; reason: string };
