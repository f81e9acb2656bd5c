import { describe, expect, it } from 'vitest';
import { helpText } from '../../src/config/describe.ts';
import { loadSettings, SettingsError } from '../../src/config/load.ts';
import { SETTINGS } from '../../src/config/schema.ts';

function problemsOf(environment: Record<string, string>): string[] {
  try {
    loadSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('settings', () => {
  it('have a default each, so that none is needed', () => {
    const { settings, warnings } = loadSettings({});
    expect(settings).toMatchObject({
      HOST: '127.0.0.1',
      PORT: 5111,
      CCC_DATA_DIR: './data',
      CCC_PROVIDER: 'auto',
      OPENAI_API_KEY: undefined,
      OPENAI_BASE_URL: undefined,
      CCC_COVENANT_DEFAULT: 'cycle',
      CCC_MAX_BODY: 20 * 1024 * 1024,
      CORS_ORIGINS: [],
    });
    expect(warnings).toEqual([]);
  });

  it('are read as what they are, and cannot be changed afterwards', () => {
    const { settings } = loadSettings({
      PORT: ' 80 ',
      CCC_MAX_BODY: '512kb',
      CORS_ORIGINS: 'https://a.example, http://localhost:3000,',
      OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1',
    });
    expect(settings.PORT).toBe(80);
    expect(settings.CCC_MAX_BODY).toBe(512 * 1024);
    expect(settings.CORS_ORIGINS).toEqual(['https://a.example', 'http://localhost:3000']);
    expect(() => Object.assign(settings, { PORT: 1 })).toThrow(TypeError);
  });

  it('count as unset when they are empty', () => {
    expect(loadSettings({ PORT: '', OPENAI_API_KEY: ' ' }).settings).toMatchObject({
      PORT: 5111,
      OPENAI_API_KEY: undefined,
    });
  });

  it('that are wrong are all named at once, with what they are', () => {
    const problems = problemsOf({ PORT: '70000', LOG_LEVEL: 'loud', CCC_MAX_BODY: 'much' });
    expect(problems).toHaveLength(3);
    expect(problems.join(' ')).toMatch(/PORT .*"70000".*CCC_MAX_BODY .*"much".*LOG_LEVEL .*"loud"/s);
  });

  it('that are wrong are told what they must be', () => {
    expect(problemsOf({ PORT: 'abc', LOG_LEVEL: 'loud', CCC_DAY_MAX_TOKENS: '0.5' })).toEqual([
      'PORT is wrong: must be a whole number from 0 to 65535 (it is "abc").',
      'CCC_DAY_MAX_TOKENS is wrong: must be a whole number from 1 to 1000000000000 (it is "0.5").',
      'LOG_LEVEL is wrong: must be one of fatal, error, warn, info, debug, trace, silent (it is "loud").',
    ]);
    expect(problemsOf({ OPENAI_BASE_URL: 'localhost:11434' })).toEqual([
      'OPENAI_BASE_URL is wrong: must be an address that begins with http:// or https:// (it is "localhost:11434").',
    ]);
    expect(problemsOf({ CCC_DATABASE_URL: 'mysql://x' })).toEqual([
      'CCC_DATABASE_URL is wrong: must be an address such as postgres://user:password@host:5432/name.',
    ]);
  });

  it('does not show the password of a wrong address', () => {
    const load = () => loadSettings({ OPENAI_BASE_URL: 'https://user:sekret@x:99999/' });
    expect(load).toThrow('(it is "https://…@x:99999/")');
  });

  it('that are secret are never shown', () => {
    const secret = 'sk-secret';
    const problems = problemsOf({ OPENAI_API_KEY: secret, PORT: 'x', CORS_ORIGINS: '*' });
    expect(problems.join()).not.toContain(secret);
    expect(problemsOf({ OPENAI_API_KEY: secret, CORS_ORIGINS: '*' }).join()).not.toContain(secret);
  });

  it('do not open a held key to every page', () => {
    expect(problemsOf({ CORS_ORIGINS: '*', OPENAI_API_KEY: 'sk-x' })[0]).toMatch(
      /CORS_ORIGINS=\* is refused/,
    );
    expect(problemsOf({ CORS_ORIGINS: '*' })).toEqual([]);
  });

  it.each(['app.example', 'https://app.example/path', 'null', 'ftp://x'])(
    'do not take %s for an origin',
    (origin) => {
      expect(problemsOf({ CORS_ORIGINS: origin })[0]).toMatch(/is not an origin/);
    },
  );

  it('that are misspelt are warned about, by name and without their value', () => {
    const { warnings } = loadSettings({ CCC_MAX_ROUND: 'secret-value', CCC_UNHEARD_OF: '1', OTHER: '2' });
    expect(warnings).toEqual([
      'CCC_MAX_ROUND is set, but there is no such setting; did you mean CCC_MAX_ROUNDS?',
      'CCC_UNHEARD_OF is set, but there is no such setting.',
    ]);
  });

  it('are not confused with what the README and the examples set for clients', () => {
    const { warnings } = loadSettings({ CCC_SESSION_TOKEN: 'ccc_sess_x', CCC_URL: 'http://127.0.0.1:1' });
    expect(warnings).toEqual([]);
  });

  it.each(['OPENAI_API_BASE', 'OPENAI_API_BASE_URL'])(
    'that other programs call %s are pointed out, unless the right name is there too',
    (name) => {
      const url = 'http://127.0.0.1:11434/v1';
      expect(loadSettings({ [name]: url }).warnings).toEqual([
        `${name} is set, but there is no such setting; did you mean OPENAI_BASE_URL?`,
      ]);
      expect(loadSettings({ [name]: url, OPENAI_BASE_URL: url }).warnings).toEqual([]);
      expect(loadSettings({ [name]: ' ' }).warnings).toEqual([]);
    },
  );

  it('that lead to api.openai.com without a key are warned about', () => {
    const warned = (environment: Record<string, string>) => loadSettings(environment).warnings;
    const sentence = expect.stringMatching(/OPENAI_API_KEY is not set: api\.openai\.com will refuse/);
    expect(warned({ CCC_PROVIDER: 'openai' })).toEqual([sentence]);
    expect(warned({ OPENAI_BASE_URL: 'https://api.openai.com/v1' })).toEqual([sentence]);
    expect(warned({ CCC_PROVIDER: 'openai', OPENAI_API_KEY: 'sk-x' })).toEqual([]);
    expect(warned({ CCC_PROVIDER: 'openai', OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1' })).toEqual([]);
    expect(warned({ CCC_PROVIDER: 'rehearsal', OPENAI_BASE_URL: 'https://api.openai.com/v1' })).toEqual([]);
  });

  it('do not open the server to others without keys, unless told so aloud', () => {
    expect(problemsOf({ HOST: '0.0.0.0' })[0]).toMatch(/HOST=0\.0\.0\.0 is refused without CCC_API_KEYS/);
    expect(problemsOf({ HOST: '192.168.1.5', CCC_INSECURE: '0' })).toHaveLength(1);
  });

  it('that name keys hold a name and a hash each, no name twice, and never show what was given', () => {
    const hash = 'ab'.repeat(32);
    const { CCC_API_KEYS: keys } = loadSettings({
      CCC_API_KEYS: `a:${hash}, b:${hash}:60/min:5000tokens/day`,
    }).settings;
    expect(keys).toEqual([
      { name: 'a', hash: Buffer.alloc(32, 0xab), perMinute: null, tokensPerDay: null },
      { name: 'b', hash: Buffer.alloc(32, 0xab), perMinute: 60, tokensPerDay: 5000 },
    ]);
    for (const wrong of ['ccc_key_plain', `a:${hash}x`, 'a:abcd', `a b:${hash}`, `a:${hash}:60`]) {
      const [problem = ''] = problemsOf({ CCC_API_KEYS: wrong });
      expect(problem).toMatch(/CCC_API_KEYS is wrong: each entry must be name:hash/);
      expect(problem).not.toContain(wrong);
    }
    expect(problemsOf({ CCC_API_KEYS: `a:${hash},a:${hash}` })).toEqual([
      'CCC_API_KEYS is wrong: a is named twice.',
    ]);
  });

  it('that open the server to others are warned about', () => {
    expect(loadSettings({ HOST: '0.0.0.0', CCC_INSECURE: '1' }).warnings[0]).toMatch(/HOST is 0\.0\.0\.0/);
    expect(loadSettings({ HOST: '0.0.0.0', CCC_API_KEYS: `team:${'ab'.repeat(32)}` }).warnings).toEqual([]);
    expect(loadSettings({ HOST: 'localhost' }).warnings).toEqual([]);
    expect(loadSettings({ HOST: '::1' }).warnings).toEqual([]);
  });
});

describe('--help', () => {
  it('names every setting with its default and help, and the commands', () => {
    const text = helpText('1.2.3');
    for (const [name, setting] of Object.entries(SETTINGS)) {
      expect(text).toContain(`  ${name} [${setting.default}]\n`);
      expect(text).toContain(setting.help);
    }
    expect(text).toContain('1.2.3');
    expect(text).toContain('npm start');
  });
});
