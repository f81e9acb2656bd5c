/** A stretch of a text that is to be masked. */
export interface Hit {
  from: number;
  to: number;
  /** What it is. */
  name: string;
}

/**
 * Finds one kind of secret. A rule reads each character a bounded number of times, whatever the text: it goes on after
 * what it has read, found or not. A yield is a moment at which others may have their turn.
 */
export interface Rule {
  /** How each of its secrets begins: a text without it has none. Null: they begin in many ways. */
  beginning: string | null;
  search(text: string): Generator<undefined, Hit[]>;
}
