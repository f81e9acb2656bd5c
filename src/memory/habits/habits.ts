import { AGENTS, type Agent, type JsonObject } from '../../store/records.ts';
import { REMOVED, type IndexLookup } from '../../store/turn-index.ts';
import { stem } from '../../text/stem.ts';
import { STOP_WORDS } from '../../text/stop-words.ts';

const MINUTE_MS = 60_000;
const HOURS = 24;
const MOST_TOPICS = 10;
/** A word of one directive alone is no topic. */
const FEWEST_DIRECTIVES = 2;
const WORD = /\p{L}(?:['’-]?[\p{L}\p{M}\p{N}]){2,}/gu;

/**
 * How each agent has worked in a session so far: how many turns, how long they were (mean, in words without the commonest
 * ones), in which hours of the day (UTC), the first and the last. Counted from the index of all turns and never added to,
 * so that no turn is lost and none counts twice, whoever writes at the same time. People with names of their own are the person.
 */
export function habitsOf(turns: Omit<IndexLookup, 'terms'>): Map<Agent, JsonObject> {
  const counts = new Map(
    AGENTS.map((agent) => [
      agent,
      { turns: 0, words: 0, hours: Array<number>(HOURS).fill(0), first: Infinity, last: -Infinity },
    ]),
  );
  const agents = turns.speakerNames.map(
    (name) => AGENTS.find((agent) => agent === name) ?? ('wykeve' satisfies Agent),
  );
  turns.minutes.forEach((minute, at) => {
    if (minute === REMOVED) return;
    const agent = agents[turns.speakers[at] ?? 0];
    const count = agent && counts.get(agent);
    if (!count) return;
    const time = minute * MINUTE_MS;
    const hour = new Date(time).getUTCHours();
    count.turns += 1;
    count.words += turns.lengths[at] ?? 0;
    count.hours[hour] = (count.hours[hour] ?? 0) + 1;
    count.first = Math.min(count.first, time);
    count.last = Math.max(count.last, time);
  });
  return new Map(
    [...counts]
      .filter(([, count]) => count.turns > 0)
      .map(([agent, { turns, words, hours, first, last }]) => [
        agent,
        {
          interactions: turns,
          mean_words: Math.round((10 * words) / turns) / 10,
          by_hour: hours,
          first_at: new Date(first).toISOString(),
          last_at: new Date(last).toISOString(),
        },
      ]),
  );
}

/** What directives speak of: the words that most of them share, as they were first written. */
export function topicsOf(directives: readonly string[]): { topic: string; directives: number }[] {
  const topics = new Map<string, { topic: string; directives: number }>();
  for (const directive of directives) {
    const seen = new Set<string>();
    for (const [word] of directive.matchAll(WORD)) {
      const plain = word.toLowerCase();
      const key = stem(plain);
      if (STOP_WORDS.has(plain) || seen.has(key)) continue;
      seen.add(key);
      const topic = topics.get(key) ?? { topic: plain, directives: 0 };
      topic.directives += 1;
      topics.set(key, topic);
    }
  }
  return [...topics.values()]
    .filter((topic) => topic.directives >= FEWEST_DIRECTIVES)
    .sort((a, b) => b.directives - a.directives || (a.topic < b.topic ? -1 : 1))
    .slice(0, MOST_TOPICS);
}
