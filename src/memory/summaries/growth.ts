/** Conversations whose growth is known at the same time. Of others it is asked once too often. */
const MOST_KNOWN = 10_000;

/**
 * Whether a conversation has grown enough since it was last looked at to be looked at again. A token has at least one
 * byte: what has fewer bytes than a summary is made of tokens need not be counted, nor have a job of its own. Most texts
 * have about four bytes to a token, so a conversation is looked at some four times before it is summarised.
 *
 * What this process does not know (it has just started, or another one wrote) counts as grown.
 */
export class Growth {
  readonly #triggerTokens: number;
  /** Bytes since each conversation was looked at, the one that waits longest first. */
  readonly #bytes = new Map<string, number>();

  constructor(triggerTokens: number) {
    this.#triggerTokens = triggerTokens;
  }

  /** Notes new texts of a conversation; `isNew`: they are its first. */
  hasGrown(conversationId: string, texts: readonly string[], isNew: boolean): boolean {
    const before = this.#bytes.get(conversationId) ?? (isNew ? 0 : this.#triggerTokens);
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), before);
    const grown = bytes >= this.#triggerTokens;
    this.#bytes.delete(conversationId);
    this.#bytes.set(conversationId, grown ? 0 : bytes);
    const [oldest] = this.#bytes.keys();
    if (this.#bytes.size > MOST_KNOWN && oldest !== undefined) this.#bytes.delete(oldest);
    return grown;
  }
}
