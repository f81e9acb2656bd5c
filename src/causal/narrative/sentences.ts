import type { CausalEventRecord, CausalLinkRecord } from '../../store/causal-store.ts';

/** A chain of events with its links, and what stands against its events. */
export interface Story {
  events: CausalEventRecord[];
  /** `links[i]` joins event i and event i + 1. */
  links: CausalLinkRecord[];
  counters: { event: CausalEventRecord; link: CausalLinkRecord; against: CausalEventRecord }[];
}

/** "X. This led to Y, because …; which in turn …", with the number of each event and how sure each step is. */
export function tell({ events, links, counters }: Story): string {
  const [first] = events;
  if (!first) return '';
  let text = `${dayOf(first)}, ${named(first)}.`;
  links.forEach((link, at) => {
    const effect = events[at + 1];
    if (!effect) return;
    const verb = link.relation === 'enabled' ? 'made possible' : 'led to';
    const opening = at === 0 ? ` This ${verb}` : `; which in turn ${verb}`;
    text += `${opening} ${named(effect)} (${surety(link)})${because(link)}`;
  });
  if (links.length > 0) text += '.';
  for (const { event, link, against } of counters) {
    const what = `[e${String(against.eventNo)}]`;
    const how =
      link.relation === 'superseded'
        ? `In place of ${what} came ${named(event)}`
        : event.happenedAt >= against.happenedAt
          ? `What keeps ${what} from happening again: ${named(event)}`
          : `What prevented ${what}: ${named(event)}`;
    text += ` ${how} (${surety(link)})${because(link)}.`;
  }
  return text;
}

function named(event: CausalEventRecord): string {
  const who = event.actor === null || startsWithName(event.text, event.actor) ? '' : `${event.actor}: `;
  return `${who}“${plain(event.text)}” [e${String(event.eventNo)}]`;
}

function startsWithName(text: string, name: string): boolean {
  return text.toLowerCase().startsWith(name.toLowerCase());
}

function surety(link: CausalLinkRecord): string {
  const sure = `confidence ${link.confidence.toFixed(2)}`;
  if (link.judgedBy === 'person') return `${sure}, the person says so`;
  return link.judgedBy === 'rule' ? `${sure}, a rule's guess` : sure;
}

function because(link: CausalLinkRecord): string {
  const why = plain(link.explanation).replace(/^because\s+/i, '');
  return why === '' ? '' : `, because ${why}`;
}

/** One line, without the full stop that its sentence has itself. */
function plain(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replace(/[.;,\s]+$/, '');
}

function dayOf(event: CausalEventRecord): string {
  return `On ${new Date(event.happenedAt).toISOString().slice(0, 10)}`;
}
