import {
  connected,
  health,
  inspected,
  openPanel,
  openSession,
  tab,
  type Panel,
  type Tab,
} from '../state/model.ts';
import { sessionName } from '../text/words.ts';
import { view } from '../state/view.ts';
import { keyWanted, UPSTREAM_REFUSES, upstreamRefuses } from '../state/key.ts';
import { Agents } from './agents.tsx';
import { Causes } from './causes.tsx';
import { Composer } from './composer.tsx';
import { ContextPanel } from './context-panel.tsx';
import { Facts } from './facts.tsx';
import { Insights } from './insights.tsx';
import { KeyBox } from './key-box.tsx';
import { ProblemLine } from './problem-line.tsx';
import { SettingsPanel } from './settings-panel.tsx';
import { Side } from './side.tsx';
import { Thread } from './thread.tsx';
import { TracePanel } from './trace-panel.tsx';
import { TraceView } from './trace-view.tsx';

export function App() {
  return (
    <div class={view.value === 'thread' ? 'lab' : 'lab whole'}>
      <header class="head">
        <PanelButton panel="side">Sessions</PanelButton>
        <h1>Resonant Loop Lab</h1>
        <span class="place">{openSession.value ? sessionName(openSession.value) : ''}</span>
        <span class="provider">{providerLine()}</span>
        <PanelButton panel="look">Look inside</PanelButton>
      </header>
      <Banner />
      <Side />
      <main class="main">
        <Views />
        <Middle />
        <ProblemLine />
        {view.value === 'thread' && <Composer />}
      </main>
      <Look />
    </div>
  );
}

function Middle() {
  switch (view.value) {
    case 'thread':
      return <Thread />;
    case 'causes':
      return <Causes />;
    case 'trace':
      return <TraceView />;
    case 'insights':
      return <Insights />;
    case 'agents':
      return <Agents />;
    case 'facts':
      return <Facts />;
  }
}

/** What the middle shows: what was said, or why things happened. */
function Views() {
  const button = (to: typeof view.value, name: string) => (
    <button type="button" aria-pressed={view.value === to} onClick={() => (view.value = to)}>
      {name}
    </button>
  );
  return (
    <div class="views" role="group" aria-label="View">
      {button('thread', 'Conversation')}
      {button('causes', 'Causes')}
      {button('trace', 'Replay')}
      {button('agents', 'Agents')}
      {button('facts', 'Facts')}
      {button('insights', 'Insights')}
    </div>
  );
}

/** On narrow screens the side panels lie over the conversation, and these open them. */
function PanelButton({ panel, children }: { panel: Panel; children: string }) {
  const open = openPanel.value === panel;
  return (
    <button
      class="button panel-toggle"
      type="button"
      aria-expanded={open}
      onClick={() => (openPanel.value = open ? null : panel)}
    >
      {children}
    </button>
  );
}

const TABS: { id: Tab; name: string }[] = [
  { id: 'context', name: 'Context' },
  { id: 'trace', name: 'Trace' },
  { id: 'settings', name: 'Settings' },
];

/** What lies behind the conversation, and what is set. */
function Look() {
  const current = tab.value;
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const at = TABS.findIndex(({ id }) => id === current);
    const next = TABS[(at + step + TABS.length) % TABS.length];
    if (!next) return;
    event.preventDefault();
    tab.value = next.id;
    document.getElementById(`tab-${next.id}`)?.focus();
  };
  return (
    <aside class={openPanel.value === 'look' ? 'look open' : 'look'} aria-label="Look inside">
      <div class="tabs" role="tablist" aria-label="Look inside" onKeyDown={move}>
        {TABS.map(({ id, name }) => (
          <button
            key={id}
            id={`tab-${id}`}
            type="button"
            role="tab"
            aria-selected={id === current}
            aria-controls="tab-panel"
            tabIndex={id === current ? 0 : -1}
            onClick={() => (tab.value = id)}
          >
            {name}
          </button>
        ))}
      </div>
      <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${current}`} tabIndex={0}>
        {inspected.value && current !== 'settings' && <Earlier directive={inspected.value.story.directive} />}
        {current === 'context' && <ContextPanel />}
        {current === 'trace' && <TracePanel />}
        {current === 'settings' && <SettingsPanel />}
      </div>
    </aside>
  );
}

/** Says that the panels show another cycle than the last. */
function Earlier({ directive }: { directive: string }) {
  return (
    <p class="earlier-cycle">
      <span>
        Of an earlier directive: “{directive.length > 80 ? `${directive.slice(0, 79)}…` : directive}”
      </span>
      <button class="small" type="button" onClick={() => (inspected.value = null)}>
        Show the last
      </button>
    </p>
  );
}

function providerLine(): string {
  if (!connected.value) return 'not connected';
  const current = health.value;
  if (!current) return '';
  return `${current.provider.model} · ${current.provider.base_url ?? 'built in'}`;
}

/** Says which key is wanted or refused; else that a rehearsal answers, and how to connect a real model. */
function Banner() {
  if (keyWanted.value) return <KeyBox />;
  if (upstreamRefuses.value) {
    return (
      <section class="banner" aria-label="Provider">
        {UPSTREAM_REFUSES}
      </section>
    );
  }
  if (health.value?.provider.name !== 'rehearsal') return <div class="banner" hidden />;
  return (
    <section class="banner" aria-label="Provider">
      The built-in rehearsal model answers: it only quotes what it is given. For a real model, set{' '}
      <code>OPENAI_API_KEY</code> or <code>OPENAI_BASE_URL</code> in <code>.env</code> and start again.
    </section>
  );
}
