/** A kind of secret that is known by how it begins. */
export interface TokenRule {
  /** Appears in the masked text and in the metrics. */
  name: string;
  /** How it begins; none of the others may stand before a longer one of its own. */
  prefix: string;
  /** What it is made of after that, as the inside of a character class. */
  of: string;
  /** Least characters after the beginning. */
  least: number;
  /** Also has to have digits and letters in a run: for beginnings that words have too. */
  mixed?: true;
}

const WORD = 'A-Za-z0-9_-';
const ALNUM = 'A-Za-z0-9';

/**
 * The forms of tokens, as their makers document them or as they give them out; where each is from is told in
 * docs/memory.md. Lengths are lower bounds: makers have lengthened theirs more than once.
 */
export const TOKEN_RULES: readonly TokenRule[] = [
  // Of this server itself (src/memory/token.ts, scripts/make-api-key.ts).
  { name: 'ccc-session-token', prefix: 'ccc_sess_', of: WORD, least: 40 },
  { name: 'ccc-api-key', prefix: 'ccc_key_', of: WORD, least: 40 },
  // Models. `sk-` alone is OpenAI's older form, and DeepSeek's, Moonshot's and LiteLLM's.
  { name: 'anthropic-key', prefix: 'sk-ant-', of: WORD, least: 20 },
  { name: 'openrouter-key', prefix: 'sk-or-', of: WORD, least: 20 },
  { name: 'openai-key', prefix: 'sk-', of: WORD, least: 20, mixed: true },
  { name: 'groq-key', prefix: 'gsk_', of: ALNUM, least: 40 },
  { name: 'xai-key', prefix: 'xai-', of: ALNUM, least: 40 },
  { name: 'perplexity-key', prefix: 'pplx-', of: ALNUM, least: 32 },
  { name: 'replicate-token', prefix: 'r8_', of: ALNUM, least: 32 },
  { name: 'huggingface-token', prefix: 'hf_', of: ALNUM, least: 30 },
  { name: 'nvidia-key', prefix: 'nvapi-', of: WORD, least: 40 },
  // Code and packages.
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'].map((prefix) => ({
    name: 'github-token',
    prefix,
    of: ALNUM,
    least: 30,
  })),
  { name: 'github-token', prefix: 'github_pat_', of: 'A-Za-z0-9_', least: 22 },
  ...['pat', 'dt', 'rt', 'soat', 'ptt', 'agent', 'cbt', 'imt', 'ft', 'oas', 'ffct'].map((kind) => ({
    name: 'gitlab-token',
    prefix: `gl${kind}-`,
    of: 'A-Za-z0-9_.-',
    least: 20,
  })),
  { name: 'npm-token', prefix: 'npm_', of: ALNUM, least: 36 },
  { name: 'pypi-token', prefix: 'pypi-AgE', of: WORD, least: 50 },
  { name: 'docker-token', prefix: 'dckr_pat_', of: WORD, least: 20 },
  { name: 'vault-token', prefix: 'hvs.', of: WORD, least: 24 },
  { name: 'age-key', prefix: 'AGE-SECRET-KEY-1', of: 'A-Z0-9', least: 58 },
  // Messages.
  ...['xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxs-', 'xoxe-', 'xoxe.', 'xoxc-', 'xoxd-', 'xoxo-', 'xapp-'].map(
    (prefix) => ({ name: 'slack-token', prefix, of: 'A-Za-z0-9.%_-', least: 10, mixed: true as const }),
  ),
  { name: 'slack-webhook', prefix: 'hooks.slack.com/services/', of: 'A-Za-z0-9/', least: 30 },
  { name: 'sendgrid-key', prefix: 'SG.', of: 'A-Za-z0-9_.-', least: 60 },
  // Clouds.
  { name: 'google-key', prefix: 'AIza', of: WORD, least: 35 },
  { name: 'google-token', prefix: 'ya29.', of: 'A-Za-z0-9_.-', least: 20 },
  { name: 'google-client-secret', prefix: 'GOCSPX-', of: WORD, least: 20 },
  ...['dop_v1_', 'doo_v1_', 'dor_v1_'].map((prefix) => ({
    name: 'digitalocean-token',
    prefix,
    of: 'a-f0-9',
    least: 60,
  })),
  { name: 'databricks-token', prefix: 'dapi', of: 'a-f0-9', least: 32 },
  { name: 'supabase-token', prefix: 'sbp_', of: 'a-f0-9', least: 40 },
  // Payments and shops.
  ...['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'].map((prefix) => ({
    name: 'stripe-key',
    prefix,
    of: ALNUM,
    least: 10,
  })),
  { name: 'stripe-webhook-secret', prefix: 'whsec_', of: 'A-Za-z0-9+/=', least: 20 },
  ...['shpat_', 'shpca_', 'shppa_', 'shpss_'].map((prefix) => ({
    name: 'shopify-token',
    prefix,
    of: 'A-Fa-f0-9',
    least: 32,
  })),
  // Work.
  { name: 'notion-token', prefix: 'ntn_', of: ALNUM, least: 40 },
  { name: 'linear-key', prefix: 'lin_api_', of: ALNUM, least: 32 },
  { name: 'atlassian-token', prefix: 'ATATT3', of: 'A-Za-z0-9_=-', least: 60 },
];
