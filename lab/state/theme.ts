import { computed, signal } from '@preact/signals';
import { settings } from './settings.ts';

const system = window.matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(system.matches);
system.addEventListener('change', ({ matches }) => {
  systemIsDark.value = matches;
});

/** Whether the page is dark at this moment: for what is drawn with colours of its own. */
export const darkNow = computed(() =>
  settings.value.theme === 'system' ? systemIsDark.value : settings.value.theme === 'dark',
);
