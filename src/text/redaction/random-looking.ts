/** Bits of information in each character, by how often each occurs in the text (Shannon). */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

const HEX = /^[\da-f]+$/i;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
/** Shorter values are words, names and numbers far more often than keys. */
const SHORTEST = 16;
/** Bits in each character: English words joined by `_` have about 3.2, 20 random characters of base64 about 4.2. */
const LEAST_ENTROPY = 3.3;
/** As it is for hexadecimal digits, of which there are 16: at most 4 bits. */
const LEAST_ENTROPY_OF_HEX = 2.8;
/** Changes between letters, capitals and digits: `user_profile_v2` has one or two, a random key dozens. */
const LEAST_CHANGES = 4;

/** Whether a value looks drawn by chance, as keys are: long, of many characters, letters and digits mixed all through. */
export function looksRandom(value: string): boolean {
  if (value.length < SHORTEST || !/\d/.test(value) || !/[a-z]/i.test(value)) return false;
  if (UUID.test(value)) return true;
  const hex = HEX.test(value);
  return entropy(value) >= (hex ? LEAST_ENTROPY_OF_HEX : LEAST_ENTROPY) && changes(value) >= LEAST_CHANGES;
}

/** `settings.password2`, `getPassword1()`. */
const CODE = /^[a-z_]\w*(?:\.\w+)+$|\($/i;

/** `client.getToken2`: a name in a program, of words with hardly a digit. */
export function isPath(value: string): boolean {
  return CODE.test(value) && value.replace(/\D/g, '').length <= 2;
}

/** What documents write where a password goes. */
export function isExample(value: string): boolean {
  return /^(?:pass(?:word|wd)?|pwd|secret|user(?:name)?|guest|\*+|x{2,}|\.{2,}|[<{[$%].*)$/i.test(value);
}

/** An id as this and many programs give them: it names something, and opens nothing. */
export function isId(value: string): boolean {
  return UUID.test(value.replace(/^[a-z]{1,12}[_-]/, ''));
}

function changes(value: string): number {
  let count = 0;
  let last = '';
  for (const character of value) {
    const kind = /\d/.test(character)
      ? 'digit'
      : /[a-z]/.test(character)
        ? 'small'
        : /[A-Z]/.test(character)
          ? 'capital'
          : last;
    if (last !== '' && kind !== last) count += 1;
    last = kind;
  }
  return count;
}

/** What stands where a password would: another option, a variable, a placeholder, the name of a type. */
const PLACEHOLDER =
  /^(?:[$%<{[(*-]|x{3,}|\.{3}|(?:process|os|env|config|self|this|secrets?)\.|(?:change|replace|your|my|the|example|dummy|string|null|none|undefined|true|false|required|optional)\b)/i;

/** Whether a value that is called a password may be one: letters and digits or signs, and no placeholder. */
export function looksLikePassword(value: string): boolean {
  return (
    value.length >= 6 &&
    /[a-z]/i.test(value) &&
    /[\d!@#$%^&*?+~]/.test(value) &&
    !PLACEHOLDER.test(value) &&
    !CODE.test(value)
  );
}
