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
export type Rule = (text: string) => Generator<undefined, Hit[]>;
