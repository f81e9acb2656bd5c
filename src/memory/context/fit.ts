import { countTokens, truncateToTokens } from '../../text/tokens.ts';

/** What is put behind a text that was cut. */
export const CUT_MARK = ' […]';

/** The text, or its beginning with a mark when it has more tokens than there is room for. */
export function cutTo(text: string, tokens: number): string {
  if (countTokens(text) <= tokens) return text;
  const room = tokens - countTokens(CUT_MARK);
  return room <= 0 ? '' : truncateToTokens(text, room).trimEnd() + CUT_MARK;
}
