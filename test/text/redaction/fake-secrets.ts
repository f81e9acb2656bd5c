/** Characters as a random key has them; always the same ones for the same seed. */
export function randomText(length: number, alphabet: string, seed = 7): string {
  let state = seed;
  return Array.from({ length }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return alphabet.charAt(Math.floor((state / 2_147_483_648) * alphabet.length));
  }).join('');
}

const SMALL = 'abcdefghijklmnopqrstuvwxyz';
const ALNUM = `${SMALL}${SMALL.toUpperCase()}0123456789`;
const UPPER = `${SMALL.toUpperCase()}234567`;
const HEX = '0123456789abcdef';

const alnum = (length: number) => randomText(length, ALNUM);
const hex = (length: number) => randomText(length, HEX);
const webToken = `${'eyJ'}${alnum(33)}.${'eyJ'}${alnum(60)}.${alnum(43)}`;

/** A key as PEM writes it. Put together here, so that no file of this project looks as if it held one. */
export function pem(kind = 'RSA PRIVATE KEY', line = '\n'): string {
  const lines = Array.from({ length: 8 }, (_, at) => randomText(64, `${ALNUM}+/`, at + 3));
  return [`-----BEGIN ${kind}-----`, ...lines, `-----END ${kind}-----`].join(line);
}

/** One made-up secret of each kind, by the name that stands in the masked text. */
export const FAKE_SECRETS: [name: string, secret: string][] = [
  ['ccc-session-token', `ccc_sess_${alnum(43)}`],
  ['ccc-api-key', `ccc_key_${alnum(43)}`],
  ['openai-key', `sk-proj-${alnum(60)}_${alnum(40)}-x`],
  ['openai-key', `sk-${alnum(48)}`],
  ['openai-key', `sk-${hex(32)}`],
  ['anthropic-key', `sk-ant-api03-${alnum(90)}-AA`],
  ['openrouter-key', `sk-or-v1-${hex(64)}`],
  ['groq-key', `gsk_${alnum(52)}`],
  ['xai-key', `xai-${alnum(80)}`],
  ['perplexity-key', `pplx-${alnum(48)}`],
  ['replicate-token', `r8_${alnum(37)}`],
  ['huggingface-token', `hf_${alnum(34)}`],
  ['nvidia-key', `nvapi-${alnum(64)}`],
  ['github-token', `ghp_${alnum(36)}`],
  ['github-token', `ghs_${alnum(36)}`],
  ['github-token', `github_pat_${alnum(22)}_${alnum(59)}`],
  ['gitlab-token', `glpat-${alnum(20)}`],
  ['gitlab-token', `gldt-${alnum(20)}`],
  ['npm-token', `npm_${alnum(36)}`],
  ['pypi-token', `pypi-AgEIcHlwaS5vcmc${alnum(60)}`],
  ['docker-token', `dckr_pat_${alnum(27)}`],
  ['vault-token', `hvs.${alnum(90)}`],
  ['age-key', `AGE-SECRET-KEY-1${randomText(58, UPPER)}`],
  ['slack-token', `xoxb-${randomText(12, '0123456789')}-${alnum(24)}`],
  [
    'slack-webhook',
    `hooks.slack.com/services/T${randomText(8, UPPER)}/B${randomText(8, UPPER)}/${alnum(24)}`,
  ],
  ['sendgrid-key', `SG.${alnum(22)}.${alnum(43)}`],
  ['google-key', `AIza${alnum(35)}`],
  ['google-token', `ya29.${alnum(80)}`],
  ['google-client-secret', `GOCSPX-${alnum(28)}`],
  ['digitalocean-token', `dop_v1_${hex(64)}`],
  ['databricks-token', `dapi${hex(32)}`],
  ['supabase-token', `sbp_${hex(40)}`],
  ['stripe-key', `sk_live_${alnum(24)}`],
  ['stripe-key', `rk_test_${alnum(24)}`],
  ['stripe-webhook-secret', `whsec_${alnum(32)}`],
  ['shopify-token', `shpat_${hex(32)}`],
  ['notion-token', `ntn_${alnum(46)}`],
  ['linear-key', `lin_api_${alnum(40)}`],
  ['atlassian-token', `ATATT3${alnum(180)}`],
  ['aws-key', `AKIA${randomText(16, UPPER)}`],
  ['jwt', webToken],
  ['private-key', pem()],
  ['private-key', pem('PRIVATE KEY', '\\n')],
  ['private-key', pem('OPENSSH PRIVATE KEY', '\r\n')],
  ['private-key', pem('PGP PRIVATE KEY BLOCK')],
];

export const fakeSecret = (wanted: string): string =>
  FAKE_SECRETS.find(([name]) => name === wanted)?.[1] ?? '';

/** What a program would call a key without a form of its own. */
export const RANDOM_KEY = `8f${alnum(30)}`;
export const AWS_SECRET = randomText(40, `${ALNUM}/+`, 11);
