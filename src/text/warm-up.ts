import { analyse } from './analyse.ts';
import { countTokens } from './tokens.ts';

/**
 * Loads what texts are counted and analysed with: tables whose reading holds the event loop for some 100 ms. Done before
 * the server listens, it holds up nobody.
 */
export function warmUpTexts(): void {
  countTokens('ready');
  analyse('ready');
}
