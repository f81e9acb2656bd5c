import { effect, signal } from '@preact/signals';

/** What this browser remembers of its person's choices. Nothing of it is secret, and nothing is a conversation. */
export interface Settings {
  theme: 'system' | 'light' | 'dark';
  model: string;
  /** Who speaks for an agent; empty: the server's choice, which is mostly `model`. */
  beatriceModel: string;
  codeyModel: string;
  temperature: number | null;
  topP: number | null;
  maxTokens: number | null;
  seed: number | null;
  presencePenalty: number | null;
  frequencyPenalty: number | null;
  /** One stop word on each line; a line end inside it is written as backslash and n. */
  stop: string;
  maxRounds: number | null;
  maxTotalTokens: number | null;
  /** Working time of a cycle. */
  maxSeconds: number | null;
  /** Whether the person decides on each answer; null: as the session is set. */
  decideFirst: boolean | null;
  /** One criterion on each line. */
  criteria: string;
  useContext: boolean;
  includeLessons: boolean;
  includeCauses: boolean;
  maxContextTurns: number | null;
  maxContextTokens: number | null;
}

const KEY = 'ccc.lab.settings';
const DEFAULTS: Settings = {
  theme: 'system',
  model: '',
  beatriceModel: '',
  codeyModel: '',
  temperature: null,
  topP: null,
  maxTokens: null,
  seed: null,
  presencePenalty: null,
  frequencyPenalty: null,
  stop: '',
  maxRounds: null,
  maxTotalTokens: null,
  maxSeconds: null,
  decideFirst: null,
  criteria: '',
  useContext: true,
  includeLessons: true,
  includeCauses: true,
  maxContextTurns: null,
  maxContextTokens: null,
};

export const settings = signal<Settings>(read());

export function change(part: Partial<Settings>): void {
  settings.value = { ...settings.value, ...part };
}

/** Leaves everything to the server again. */
export function changeBack(): void {
  settings.value = { ...DEFAULTS, theme: settings.value.theme };
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
