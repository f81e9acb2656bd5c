/** Characters of all texts that one function remembers, at most, unless it says otherwise. */
const MOST_CHARACTERS = 2_000_000;

/**
 * The same function, remembering what came of the texts it was given last: what a session holds is looked at in one
 * request after the other. Oldest out first.
 */
export function remembered<V>(compute: (text: string) => V, most = MOST_CHARACTERS): (text: string) => V {
  const known = new Map<string, { value: V }>();
  let characters = 0;
  return (text) => {
    const before = known.get(text);
    if (before) return before.value;
    const value = compute(text);
    // A copy: the text itself may be a view that keeps a far longer one alive.
    const copy = Buffer.from(text).toString();
    // Half a surrogate pair does not survive the copy: such a text is computed anew each time.
    if (copy !== text) return value;
    known.set(copy, { value });
    characters += copy.length;
    for (const oldest of known.keys()) {
      if (characters <= most) break;
      known.delete(oldest);
      characters -= oldest.length;
    }
    return value;
  };
}
