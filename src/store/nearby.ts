/**
 * Questions that take several looks at the record, asked where the data is: what is only looked through then crosses no
 * thread. Questions and answers are plain data.
 */
export type Nearby = Readonly<Record<string, (question: never) => Promise<unknown>>>;

/** The name under which they are asked, beside the names of the stores. */
export const NEARBY = 'nearby';
