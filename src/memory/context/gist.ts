/** How much of a long directive is looked at, in characters: its beginning, and first its last sentence, where one asks. */
const GIST = { end: 300, beginning: 5_700 } as const;

/** What of a directive is searched for. One that brings a document along is not searched for word by word. */
export function gist(directive: string): string {
  if (directive.length <= GIST.end + GIST.beginning) return directive;
  const last =
    /(?:^|[\n.!?。！？])[^\n.!?。！？]+[\s.!?。！？]*$/u.exec(directive.slice(-GIST.end))?.[0] ?? '';
  // A piece of a sentence that began further in front is no question of its own.
  const asked = last.length < GIST.end ? last : '';
  return `${asked}\n${directive.slice(0, GIST.beginning)}`;
}
