import type { ChatResult, ChatSizes } from './chat.ts';
import type { Figure } from './figures.ts';
import type { GatewayRow } from './gateways.ts';
import type { SearchRow } from './search.ts';
import type { StartResult } from './start.ts';

/** What one run has measured; a part is absent where it was not asked for. */
export interface SpeedResults {
  /** The machine and the run, in words. */
  described: string;
  /** Fewer and smaller: not to quote. */
  quick: boolean;
  date: string;
  gateways?: GatewayRow[];
  chat?: ChatResult & { sizes: ChatSizes };
  search?: { turns: number; rows: SearchRow[] };
  start?: StartResult;
  figures: Figure[];
}
