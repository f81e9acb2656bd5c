/** English words that say nothing about what is being asked or told. */
export const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a about after again all also am an and any are as at be because been before being between both but by can could did do does ' +
    'doing done down during each few for from further had has have having he her here hers him himself his how i if in into is it its ' +
    'itself just me more most my myself no nor not now of off on once only or other our ours out over own same she should so some ' +
    'such than that the their theirs them then there these they this those through to too under until up us very was we were what ' +
    'when where which while who whom whose why will with would you your yours yourself'
  ).split(' '),
);

/**
 * Words by which a question asks rather than what it asks for ("what kind of", "how many", "what did she say about").
 * They are looked up, and count for half.
 */
export const ASKING_WORDS: ReadonlySet<string> = new Set(
  'kind type sort many much long often say mention describe discuss share tell talk name recently recent ago'.split(
    ' ',
  ),
);
