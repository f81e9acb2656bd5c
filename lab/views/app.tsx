import { health, openPanel } from '../state/model.ts';
import { Composer } from './composer.tsx';
import { ContextPanel } from './context-panel.tsx';
import { Side } from './side.tsx';
import { Thread } from './thread.tsx';

export function App() {
  const toggle = (panel: 'side' | 'context') => () => {
    openPanel.value = openPanel.value === panel ? null : panel;
  };
  return (
    <div class="lab">
      <header class="head">
        <button
          class="button panel-toggle"
          type="button"
          aria-expanded={openPanel.value === 'side'}
          onClick={toggle('side')}
        >
          Sessions
        </button>
        <h1>Resonant Loop Lab</h1>
        <span class="provider">{providerLine()}</span>
        <button
          class="button panel-toggle"
          type="button"
          aria-expanded={openPanel.value === 'context'}
          onClick={toggle('context')}
        >
          Context
        </button>
      </header>
      <Banner />
      <Side />
      <main class="main">
        <Thread />
        <Composer />
      </main>
      <ContextPanel />
    </div>
  );
}

function providerLine(): string {
  const current = health.value;
  if (!current) return '';
  return `${current.provider.model} · ${current.provider.base_url ?? 'built in'}`;
}

/** Says that a rehearsal answers, and how to connect a real model. */
function Banner() {
  if (health.value?.provider.name !== 'rehearsal') return <div class="banner" hidden />;
  return (
    <p class="banner" role="note">
      The built-in rehearsal model answers: it only quotes and combines what it is given. To connect a real
      model, set <code>OPENAI_API_KEY</code>, or <code>OPENAI_BASE_URL</code> for a local one such as Ollama,
      in <code>.env</code> and start the server again.
    </p>
  );
}
