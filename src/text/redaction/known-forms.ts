import { isExample } from './random-looking.ts';
import type { Hit, Rule } from './rule.ts';
import { TOKEN_RULES, type TokenRule } from './token-rules.ts';

/** No letter or digit may stand before a token: `task-…` holds no `sk-…`. */
const JOINED = /[A-Za-z0-9]/;
/** Digits and letters in one run, as no words are. */
const RUN = /[A-Za-z0-9]{12}/;

/** Tokens that are known by how they begin. */
export const tokens: Rule[] = TOKEN_RULES.map(tokenRule);

function tokenRule({ name, prefix, of, least, mixed }: TokenRule): Rule {
  const rest = new RegExp(`[${of}]*`, 'y');
  return everywhere(prefix, (text, at) => {
    if (at > 0 && JOINED.test(text.charAt(at - 1))) return { next: at + prefix.length };
    const from = at + prefix.length;
    const to = endOf(rest, text, from);
    const body = text.slice(from, to);
    const fits =
      body.length >= least && (!mixed || (RUN.test(body) && /\d/.test(body) && /[A-Za-z]/.test(body)));
    return { next: to, ...(fits ? { hit: { from: at, to, name } } : {}) };
  });
}

/** Id of an AWS key, and the key itself where it stands beside it, as in the file that AWS gives out. */
export const awsKeys: Rule[] = ['AKIA', 'ASIA', 'ABIA', 'ACCA'].map((prefix) =>
  everywhere(prefix, (text, at) => {
    if (at > 0 && JOINED.test(text.charAt(at - 1))) return { next: at + prefix.length };
    const from = at + prefix.length;
    const to = endOf(/[A-Z0-9]*/y, text, from);
    if (to - from !== 16) return { next: to };
    const beside = /[\s,;:"'|]{1,8}([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/y;
    beside.lastIndex = to;
    const key = beside.exec(text);
    return { next: to, hit: { from: at, to: key ? beside.lastIndex : to, name: 'aws-key' } };
  }),
);

/** JSON Web Tokens (RFC 7519): base64url of `{"` begins with `eyJ`, in the header and in the claims. */
export const webTokens: Rule = everywhere('eyJ', (text, at) => {
  if (at > 0 && JOINED.test(text.charAt(at - 1))) return { next: at + 3 };
  const to = endOf(/[\w-]*(?:\.[\w-]*){0,4}/y, text, at);
  const [header = '', claims = '', ...rest] = text.slice(at, to).split('.');
  const isToken = header.length >= 10 && rest.length >= 1 && (claims.startsWith('eyJ') || rest.length >= 3);
  return { next: to, ...(isToken ? { hit: { from: at, to: endOfSentence(text, to), name: 'jwt' } } : {}) };
});

/** A full stop after a token is not part of it. */
function endOfSentence(text: string, to: number): number {
  return text.charAt(to - 1) === '.' ? to - 1 : to;
}

/** The password of an address: `scheme://user:password@host` (RFC 3986, 3.2.1). */
export const addresses: Rule = everywhere('://', (text, at) => {
  const from = at + 3;
  const colon = endOf(/[^\s/?#@:"'<>\\]*/y, text, from);
  if (text.charAt(colon) !== ':') return { next: colon };
  const end = endOf(/[^\s/?#"'<>\\]*/y, text, colon + 1);
  // A password may hold the sign itself: the last one counts.
  const to = colon + 1 + text.slice(colon + 1, end).lastIndexOf('@');
  const isPassword = to > colon + 1 && !isExample(text.slice(colon + 1, to));
  return { next: end, ...(isPassword ? { hit: { from: colon + 1, to, name: 'url-password' } } : {}) };
});

const BEGIN = '-----BEGIN ';
const PRIVATE = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/y;
const LAST_LINE = /-----END [A-Z0-9 ]{0,60}-----/y;
/** What a key's block is made of besides single dashes, also with its line ends written as `\n`, indented or quoted. */
const BLOCK = /[A-Za-z0-9+/=\s\\,:.>|"']*/y;
const DASHES = '-----';
/** A line of the key itself, and what stands between two of them. */
const LINE = /[A-Za-z0-9+/=]*/y;
const GAP = /[\s\\nr]*/y;
const SHORTEST_LINE = 16;

/** Private keys as PEM (RFC 7468) and PGP (RFC 9580) write them; one that is cut off too, as far as it goes. */
export const privateKeys: Rule = everywhere(BEGIN, (text, at) => {
  PRIVATE.lastIndex = at;
  if (!PRIVATE.test(text)) return { next: at + BEGIN.length };
  const body = PRIVATE.lastIndex;
  LAST_LINE.lastIndex = endOfBlock(text, body);
  const to = LAST_LINE.test(text) ? LAST_LINE.lastIndex : endOfLines(text, body);
  return { next: to, hit: { from: at, to, name: 'private-key' } };
});

function endOfBlock(text: string, from: number): number {
  let at = endOf(BLOCK, text, from);
  while (text.charAt(at) === '-' && !text.startsWith(DASHES, at)) at = endOf(BLOCK, text, at + 1);
  return at;
}

/** Of a key that is cut off: what follows in plain words is none of it. */
function endOfLines(text: string, from: number): number {
  let to = from;
  for (;;) {
    const begin = endOf(GAP, text, to);
    const end = endOf(LINE, text, begin);
    if (end - begin < SHORTEST_LINE) {
      // The last line of a key is a short one, alone in its line.
      const isLast = to > from && end > begin && ['', '\n', '\r', '\\'].includes(text.charAt(end));
      return isLast ? end : to;
    }
    to = end;
  }
}

/** A text that is known itself: a key of this server. */
export function exactly(secret: string, name: string): Rule {
  return everywhere(secret, (_text, at) => ({
    next: at + secret.length,
    hit: { from: at, to: at + secret.length, name },
  }));
}

/** Looks at each place at which `beginning` stands; the search goes on at `next`. */
function everywhere(
  beginning: string,
  look: (text: string, at: number) => { next: number; hit?: Hit },
): Rule {
  return {
    beginning,
    // eslint-disable-next-line require-yield -- the engine's own search is quick: 20 MB in a few milliseconds.
    *search(text) {
      const hits: Hit[] = [];
      for (let at = text.indexOf(beginning); at !== -1;) {
        const { next, hit } = look(text, at);
        if (hit) hits.push(hit);
        at = text.indexOf(beginning, Math.max(next, at + 1));
      }
      return hits;
    },
  };
}

function endOf(run: RegExp, text: string, from: number): number {
  run.lastIndex = from;
  run.exec(text);
  return Math.max(run.lastIndex, from);
}
