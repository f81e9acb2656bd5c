import { describe, expect, it } from 'vitest';
import { createMasker } from '../../../src/text/redaction/masker.ts';
import { TOKEN_RULES } from '../../../src/text/redaction/token-rules.ts';
import { AWS_SECRET, FAKE_SECRETS, fakeSecret, pem, RANDOM_KEY } from './fake-secrets.ts';

const masker = createMasker();
const masked = (text: string) => masker.mask(text)?.text ?? text;

describe('secrets are masked by their form', () => {
  it.each(FAKE_SECRETS)('%s', (name, secret) => {
    const found = { [name]: 1 };
    expect(masker.mask(secret)).toEqual({ text: `[masked: ${name}]`, found });
    const said = `Use this: "${secret}", please.`;
    expect(masker.mask(said)).toEqual({ text: `Use this: "[masked: ${name}]", please.`, found });
    expect(masked(JSON.stringify({ said }))).toBe(JSON.stringify({ said: masked(said) }));
    expect(masked(`x=${secret}`)).not.toContain(secret.slice(-12));
  });

  it('each rule has a secret here that shows it', () => {
    const shown = new Set(FAKE_SECRETS.map(([name]) => name));
    expect(TOKEN_RULES.filter(({ name }) => !shown.has(name))).toEqual([]);
  });

  it('an AWS key goes with its id', () => {
    const id = fakeSecret('aws-key');
    expect(masked(`Access key ID,Secret access key\n${id},${AWS_SECRET}\nnext`)).toBe(
      'Access key ID,Secret access key\n[masked: aws-key]\nnext',
    );
  });

  it('a private key that is cut off is masked as far as it goes', () => {
    const whole = pem();
    const cut = whole.slice(0, 300);
    expect(masked(`${cut}\n\nThat is all I have, sorry.`)).toBe(
      '[masked: private-key]\n\nThat is all I have, sorry.',
    );
    expect(masked(`${whole}\nand\n${whole}`)).toBe('[masked: private-key]\nand\n[masked: private-key]');
  });

  it('the password of an address, and nothing else of it', () => {
    expect(masked('postgres://ana:s3cret!@db.local:5432/main?x=1')).toBe(
      'postgres://ana:[masked: url-password]@db.local:5432/main?x=1',
    );
    expect(masked('https://me:p@ss@word@host/path@x')).toBe('https://me:[masked: url-password]@host/path@x');
    expect(masked('redis://:hunter2@cache')).toBe('redis://:[masked: url-password]@cache');
  });
});

describe('secrets are masked by what they are called', () => {
  it.each([
    [`api_key=${RANDOM_KEY}`, 'api_key=[masked: secret]'],
    [`export SERVICE_TOKEN="${RANDOM_KEY}"`, 'export SERVICE_TOKEN="[masked: secret]"'],
    [`"client_secret": "${RANDOM_KEY}",`, '"client_secret": "[masked: secret]",'],
    [`{\\"apiKey\\":\\"${RANDOM_KEY}\\"}`, '{\\"apiKey\\":\\"[masked: secret]\\"}'],
    [`aws_secret_access_key = ${AWS_SECRET}`, 'aws_secret_access_key = [masked: secret]'],
    [`key=${RANDOM_KEY}`, 'key=[masked: secret]'],
    [`Authorization: Bearer ${RANDOM_KEY}`, 'Authorization: Bearer [masked: secret]'],
    [`AccountKey=${RANDOM_KEY}==;EndpointSuffix=core`, 'AccountKey=[masked: secret];EndpointSuffix=core'],
    [`run --api-key ${RANDOM_KEY} --verbose`, 'run --api-key [masked: secret] --verbose'],
    ["mysql --password 'hunter2!' main", "mysql --password '[masked: password]' main"],
    ['DB_PASSWORD=hunter2!', 'DB_PASSWORD=[masked: password]'],
    ['My password is hunter2.', 'My password is [masked: password].'],
    [`the token is ${RANDOM_KEY}, I think`, 'the token is [masked: secret], I think'],
  ])('%s', (text, expected) => {
    expect(masked(text)).toBe(expected);
  });

  it('a field of JSON that is called so', () => {
    expect(masker.secretOfField('password', 'hunter2!')).toBe('password');
    expect(masker.secretOfField('api_key', RANDOM_KEY)).toBe('secret');
    expect(masker.secretOfField('thread_key', RANDOM_KEY)).toBeNull();
    expect(masker.secretOfField('text', RANDOM_KEY)).toBeNull();
    expect(masker.secretOfField('password', 'required')).toBeNull();
  });
});

describe('what is no secret stays', () => {
  it.each([
    'The key points are these: first, 1024 tokens; second, a secret ingredient.',
    'max_tokens: 2048, completion_tokens: 17',
    'password: required, at least 12 characters',
    'const token = await getToken2(session.password2);',
    'password = process.env.DB_PASSWORD1',
    'apiKey: ${API_KEY_2}',
    'primary key: customer_id_2024_orders',
    'key: turn_0192f0c4-1111-7111-8111-123456789012',
    'cacheKey: "user:profile:v2:1234"',
    'The sk-learn-contrib package; task-1234567890abcdef1234567890; risk-assessment-2024-final-version',
    'https://example.com:8080/a@b and mailto:ana@example.com at 12:30',
    'sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'AKIA is how they begin; eyJ is base64 for {"; -----BEGIN CERTIFICATE----- is public',
    'a pass key, a passport number, a monkey: banana1 and the donkey=grey2',
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0mZ ana@laptop',
    'const tokenCount = gpt4o.countChatCompletionTokens',
    'redis://username:password@host:6379 and amqp://guest:guest@mq and https://me:${TOKEN}@git',
    'run --token-file ./token2.txt --key-size 2048 --no-password --verbose2',
    'Basic understanding of the bearer of bad news',
    'Der Schlüssel ist 密码 и пароль; el token de la sesión',
  ])('%s', (text) => {
    expect(masker.mask(text)).toBeNull();
  });

  it('masked text has nothing more to mask', () => {
    const text = FAKE_SECRETS.map(
      ([, secret], at) => `token ${String(at)}=${secret} password: ${secret}`,
    ).join('\n');
    const once = masked(text);
    expect(masker.mask(once)).toBeNull();
    for (const [, secret] of FAKE_SECRETS) expect(once).not.toContain(secret.slice(-10));
  });
});

describe('this server’s own keys', () => {
  it('are masked wherever they stand, whatever their form', () => {
    const own = createMasker([
      { name: 'upstream-key', secret: 'local upstream' },
      { name: 'unset', secret: undefined },
      { name: 'too-short', secret: 'me' },
    ]);
    expect(own.mask('xlocal upstreamx, me')).toEqual({
      text: 'x[masked: upstream-key]x, me',
      found: { 'upstream-key': 1 },
    });
  });
});

describe('time', () => {
  /** Texts that make searches with backtracking take for ever, a megabyte of each. */
  const hostile = [
    'sk-',
    '://',
    '://a:',
    'https://a:b@',
    'eyJ-',
    'eyJ.',
    '-----BEGIN RSA PRIVATE KEY-----\n',
    '-----BEGIN ',
    'AKIA ',
    'password=',
    'password is ',
    'key=',
    'key: a',
    'tokentoken=',
    'bearer a1',
    'secret-',
    'key:a-',
    'xox',
    '\\"',
    ' ',
    'a',
    'aA1',
    '=',
  ];

  it('grows with the length of the text and no faster', () => {
    for (const piece of hostile) {
      const timeOf = (length: number) => {
        const text = piece.repeat(Math.ceil(length / piece.length));
        return Math.min(
          ...[1, 2, 3].map(() => {
            const began = performance.now();
            masker.mask(text);
            return performance.now() - began;
          }),
        );
      };
      timeOf(10_000);
      // Four times the text: four times as long, or sixteen times where something is quadratic.
      const [short, long] = [timeOf(100_000), timeOf(400_000)];
      expect(long, JSON.stringify(piece)).toBeLessThan(10 * short + 25);
    }
  });

  it('a long text is masked in steps, to the same end', async () => {
    const text = `${'lorem ipsum key: dolor '.repeat(30_000)}${fakeSecret('github-token')} ${'amet '.repeat(60_000)}password: hunter2!`;
    let turns = 0;
    const beat = setInterval(() => (turns += 1), 1);
    const inSteps = await masker.maskInSteps(text);
    clearInterval(beat);
    expect(inSteps).toEqual(masker.mask(text));
    expect(inSteps?.found).toEqual({ 'github-token': 1, password: 1 });
    expect(turns).toBeGreaterThan(0);
    // A name and its value on both sides of the border of two windows.
    for (let shift = -30; shift <= 30; shift += 1) {
      const split = `${' '.repeat(256 * 1024 + shift)}api_key=${RANDOM_KEY}`;
      expect(masked(split)).toBe(`${' '.repeat(256 * 1024 + shift)}api_key=[masked: secret]`);
    }
  });
});
