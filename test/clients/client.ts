/** Where a client is pointed: what its users have to know of CCC. */
export interface Connection {
  baseURL: string;
  apiKey: string;
}

/** What a person asks through a client. */
export interface Ask {
  prompt: string;
  /** Fields of CCC in the body, for clients that can add some. */
  fields?: Record<string, unknown>;
  signal?: AbortSignal;
  /** Not to be tried again by the client, for one that takes a stream which fails early for one that never began. */
  once?: true;
  /** Called whenever the client hands over something of a stream. */
  onPiece?: () => void;
}

/** What the client makes of the answer. A member that the client does not tell is absent. */
export interface Reply {
  text: string;
  finishReason?: string | undefined;
  totalTokens?: number | undefined;
  /** What it shows as the model's thoughts. */
  reasoning?: string | undefined;
}

/** Looks up the weather; the tool that is offered in all cases. */
export type Weather = (city: string) => string;

/** Something that a client does, or the reason why it does not. */
export type Can<F> = F | { cannot: string };
export const cannot = (reason: string) => ({ cannot: reason });

/** One client, connected. Each method does what its documentation shows for the purpose, and nothing to help CCC. */
export interface Calls {
  create(ask: Ask): Promise<Reply>;
  /** With the usage, where it has to be asked for. */
  stream(ask: Ask): Promise<Reply>;
  models: Can<() => Promise<string[]>>;
  /** Offers `weather`, runs the calls, gives the results back, and returns the answer. */
  tools: Can<(ask: Ask, weather: Weather, streamed: boolean) => Promise<Reply>>;
  /** An object with `rivers`, a list of strings, in the client's own way. */
  structured: Can<(ask: Ask) => Promise<unknown>>;
  image: Can<(ask: Ask, dataUrl: string) => Promise<Reply>>;
  embed: Can<(texts: string[]) => Promise<number[][]>>;
  /** By the Responses API. */
  responses: Can<(ask: Ask, streamed: boolean) => Promise<Reply>>;
  /** Whether it shows a model's thoughts. */
  reasoning: Can<true>;
  /** Whether a request without a stream can be called off. */
  abortsCreate: Can<true>;
  /** Whether a stream can be called off before anything has come. */
  abortsStream: Can<true>;
  /** Whether a stream can be called off in its middle. */
  abortsMidStream: Can<true>;
  /** Whether anything of a cycle comes out of it before the approved answer. */
  showsProgress: Can<true>;
  /** Whether it tries again by itself when it is told to wait. */
  retries: Can<true>;
  /** Whether its users can add fields to the body. */
  fields: Can<true>;
}

/** The models of all cases, by the names that the configurations in the document use. */
export const chatModel = 'm';
export const embeddingModel = 'e';

export interface Client {
  /** As its users call it. */
  name: string;
  /** Its folders below `node_modules`, for their versions. */
  modules: string[];
  /** The file that holds its configuration, between `// configuration: name` and `// end`; see `document.ts`. */
  source: string;
  /**
   * A question, for the document: what its users type behind the configuration, for a script before it. Run as the
   * document shows it by `document.test.ts`.
   */
  ask: string;
  connect(to: Connection): Calls;
}

/** The tool of all cases, as JSON. */
export const WEATHER = {
  name: 'weather',
  description: 'The weather in a city.',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
} as const;

export const cityOf = (args: unknown): string =>
  ((typeof args === 'string' ? JSON.parse(args) : args) as { city: string }).city;
