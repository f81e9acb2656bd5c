/** English words that say nothing about what is being asked. Words that may be names of things (go, it) are not here. */
export const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a about after again all also am an and any are as at be because been before being between both but by can could did do does ' +
    "doing down during each few for from further had has have having he her here hers him himself his how i i'd i'll i'm i've if in " +
    'into is its itself just me more most my myself no nor not now of off on once only or other our ours out over own same she ' +
    'should so some such than that the their theirs them then there these they this those through to too under until up very was ' +
    'we were what when where which while who whom whose why will with would you your yours yourself'
  ).split(' '),
);
