import { effect, signal } from '@preact/signals';

/** What this browser remembers of its person's choices. Nothing of it is secret, and nothing is a conversation. */
export interface Settings {
  theme: 'system' | 'light' | 'dark';
  model: string;
  temperature: number | null;
  topP: number | null;
  maxTokens: number | null;
  maxRounds: number | null;
  maxTotalTokens: number | null;
  /** One criterion on each line. */
  criteria: string;
  useContext: boolean;
  maxContextTurns: number | null;
  maxContextTokens: number | null;
}

const KEY = 'ccc.lab.settings';
const DEFAULTS: Settings = {
  theme: 'system',
  model: '',
  temperature: null,
  topP: null,
  maxTokens: null,
  maxRounds: null,
  maxTotalTokens: null,
  criteria: '',
  useContext: true,
  maxContextTurns: null,
  maxContextTokens: null,
};

export const settings = signal<Settings>(read());

export function change(part: Partial<Settings>): void {
  settings.value = { ...settings.value, ...part };
}

/** Keeps the settings and applies the theme whenever they change. */
export function followSettings(): void {
  effect(() => {
    const { theme } = settings.value;
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    try {
      window.localStorage.setItem(KEY, JSON.stringify(settings.value));
    } catch {
      // A browser that keeps nothing still works; it asks again next time.
    }
  });
}

function read(): Settings {
  try {
    const kept = JSON.parse(window.localStorage.getItem(KEY) ?? '{}') as Partial<Settings>;
    return { ...DEFAULTS, ...kept };
  } catch {
    return DEFAULTS;
  }
}
