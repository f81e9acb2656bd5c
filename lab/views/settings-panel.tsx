import { setPreferences } from '../actions/sessions.ts';
import { health, models, openSession } from '../state/model.ts';
import { change, settings, type Settings } from '../state/settings.ts';

type NumberField = {
  [K in keyof Settings]: Settings[K] extends number | null ? K : never;
}[keyof Settings];

/** What the person sets: for the open session on the server, the rest in this browser. */
export function SettingsPanel() {
  const now = settings.value;
  const session = openSession.value;
  const provider = health.value?.provider;
  return (
    <form
      class="settings"
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <fieldset>
        <legend>Provider</legend>
        <p class="quiet">
          {provider ? `${provider.name}, ${provider.base_url ?? 'built in'}` : 'not known'}
          {health.value && ` · CCC ${health.value.version}`}
        </p>
        <label>
          Model
          <input
            list="models"
            value={now.model}
            placeholder={provider?.model ?? ''}
            onInput={(event) => {
              change({ model: event.currentTarget.value.trim() });
            }}
          />
          <datalist id="models">
            {models.value.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </label>
        <Number
          field="temperature"
          name="Temperature"
          hint="0 is steady, 1 and more is lively."
          min={0}
          max={2}
          step={0.1}
        />
        <Number
          field="topP"
          name="Top p"
          hint="Only the likeliest words that make up this part."
          min={0}
          max={1}
          step={0.05}
        />
        <Number
          field="maxTokens"
          name="Longest answer"
          hint="In tokens; Codey stops there."
          min={1}
          step={1}
        />
      </fieldset>
      <fieldset>
        <legend>Covenant</legend>
        <label>
          How directives are answered in this session
          <select
            disabled={!session}
            value={session?.user_preferences.covenant_mode ?? 'cycle'}
            onChange={(event) => {
              if (session) {
                const mode = event.currentTarget.value === 'direct' ? 'direct' : 'cycle';
                void setPreferences(session, { covenant_mode: mode });
              }
            }}
          >
            <option value="cycle">In a cycle: guided and reviewed</option>
            <option value="direct">Directly: one call, with memory</option>
          </select>
        </label>
        <Number
          field="maxRounds"
          name="Most revisions"
          hint="After the first draft."
          min={1}
          max={10}
          step={1}
        />
        <Number
          field="maxTotalTokens"
          name="Token budget"
          hint="Of all calls of one cycle together."
          min={1}
          step={1}
        />
        <label>
          Criteria, one on each line
          <textarea
            rows={3}
            value={now.criteria}
            onInput={(event) => {
              change({ criteria: event.currentTarget.value });
            }}
          />
          <span class="hint">Beatrice answers to each of them.</span>
        </label>
      </fieldset>
      <fieldset>
        <legend>Memory</legend>
        <label class="check">
          <input
            type="checkbox"
            checked={now.useContext}
            onChange={(event) => {
              change({ useContext: event.currentTarget.checked });
            }}
          />
          Use what this session remembers
        </label>
        <Number field="maxContextTurns" name="Most remembered turns" min={0} max={200} step={1} />
        <Number field="maxContextTokens" name="Most tokens from memory" min={0} max={200_000} step={1} />
      </fieldset>
      <fieldset>
        <legend>Page</legend>
        <label>
          Colours
          <select
            value={now.theme}
            onChange={(event) => {
              change({ theme: event.currentTarget.value as Settings['theme'] });
            }}
          >
            <option value="system">As the system</option>
            <option value="light">Light</option>
            <option value="dark">Dark</option>
          </select>
        </label>
      </fieldset>
      <p class="quiet">An empty field leaves the choice to the server.</p>
    </form>
  );
}

function Number(props: {
  field: NumberField;
  name: string;
  hint?: string;
  min: number;
  max?: number;
  step: number;
}) {
  const { field, name, hint, ...limits } = props;
  return (
    <label>
      {name}
      <input
        type="number"
        inputMode="decimal"
        {...limits}
        value={settings.value[field] ?? ''}
        onChange={(event) => {
          const input = event.currentTarget;
          if (input.validity.valid) change({ [field]: input.value === '' ? null : input.valueAsNumber });
          else input.reportValidity();
        }}
      />
      {hint && <span class="hint">{hint}</span>}
    </label>
  );
}
