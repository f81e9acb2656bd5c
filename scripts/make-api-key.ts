/**
 * Makes a key for CCC_API_KEYS: `npm run api-key -- name [requests a minute] [tokens a day]`, - for none. The key is shown once and stored nowhere;
 * the entry holds its hash.
 */
import { createHash, randomBytes } from 'node:crypto';
import { parseApiKey } from '../src/config/api-keys.ts';

const [name = '', perMinute = '-', tokensPerDay = '-'] = process.argv.slice(2);
const key = `ccc_key_${randomBytes(32).toString('base64url')}`;
const hash = createHash('sha256').update(key).digest('hex');
const limits = [
  ...(perMinute === '-' ? [] : [`:${perMinute}/min`]),
  ...(tokensPerDay === '-' ? [] : [`:${tokensPerDay}tokens/day`]),
];
const entry = `${name}:${hash}${limits.join('')}`;
if (parseApiKey(entry)) {
  console.log(`The key, shown this once. Clients send it as their API key:\n\n  ${key}\n`);
  console.log(
    `Its entry. Add it to CCC_API_KEYS, after a comma, and restart; remove it to revoke the key:\n\n  ${entry}`,
  );
} else {
  console.error(
    'Usage: npm run api-key -- name [requests a minute] [tokens a day], - for none. A name has letters, digits, dots, - and _.',
  );
  process.exitCode = 1;
}
