/** The objects that could be read from a model's answer; `problem` says why when there are none. */
export interface TolerantObjects {
  values: Record<string, unknown>[];
  problem: string;
}

/**
 * Reads the JSON objects of a text that a model wrote: in a code fence, between sentences, with raw control characters
 * in its strings or a comma too many. It never guesses at what is missing: an object that was cut short is none.
 */
export function tolerantObjects(text: string): TolerantObjects {
  const whole = parse(text.trim());
  if (whole.ok && isObject(whole.value)) return { values: [whole.value], problem: '' };
  const values: Record<string, unknown>[] = [];
  let problem = whole.ok ? 'the answer is not a JSON object' : whole.problem;
  for (const candidate of balancedObjects(text)) {
    const exact = parse(candidate);
    const read = exact.ok ? exact : parse(mend(candidate));
    if (read.ok && isObject(read.value)) values.push(read.value);
    else if (!exact.ok) problem = exact.problem;
  }
  return { values, problem };
}

type Parsed = { ok: true; value: unknown } | { ok: false; problem: string };

function parse(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch (error) {
    return { ok: false, problem: (error as Error).message };
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Most characters that are read in vain: each opening brace that nothing closes is looked after to the end. */
const MOST_IN_VAIN = 5_000_000;

/** Every top-level `{…}` whose braces balance outside strings, in order. */
function* balancedObjects(text: string): Generator<string> {
  let at = text.indexOf('{');
  let inVain = 0;
  while (at !== -1) {
    const end = endOfObject(text, at);
    if (end === -1) {
      inVain += text.length - at;
      if (inVain > MOST_IN_VAIN) return;
      at = text.indexOf('{', at + 1);
      continue;
    }
    yield text.slice(at, end + 1);
    at = text.indexOf('{', end + 1);
  }
}

function endOfObject(text: string, start: number): number {
  let depth = 0;
  let inString = false;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (inString) {
      if (character === '\\') at += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{') depth += 1;
    else if (character === '}') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return -1;
}

/** Control characters inside strings are escaped; commas before a closing bracket are dropped. */
function mend(json: string): string {
  let mended = '';
  let inString = false;
  for (let at = 0; at < json.length; at += 1) {
    const character = json.charAt(at);
    if (inString && character === '\\') {
      mended += character + json.charAt(at + 1);
      at += 1;
      continue;
    }
    if (character === '"') inString = !inString;
    if (inString && character < ' ') mended += `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
    else if (!inString && character === ',' && /^\s*[}\]]/.test(json.slice(at + 1))) continue;
    else mended += character;
  }
  return mended;
}
