import { health, models, openSession } from '../state/model.ts';
import { change, changeBack, settings, type Settings } from '../state/settings.ts';
import { SessionSettings } from './settings-session.tsx';
import { Choice, SetLines, SetModel, SetNumber, SetSwitch } from './settings-fields.tsx';

const MOST_CRITERIA = 50;
const LONGEST_CRITERION = 2_000;

/** What the person sets: for the open session on the server, the rest in this browser. */
export function SettingsPanel() {
  const now = settings.value;
  return (
    <form
      class="settings"
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <Models />
      <SessionSettings />
      <fieldset>
        <legend>Each cycle</legend>
        <SetNumber
          field="maxRounds"
          name="Most revisions"
          hint="After the first draft; 0 is one draft and its review."
          min={0}
          max={10}
          step={1}
          whole
        />
        <SetNumber
          field="maxTotalTokens"
          name="Token budget"
          hint="Of all calls of one cycle together."
          min={1}
          step={1}
          whole
        />
        <SetNumber
          field="maxSeconds"
          name="Most seconds"
          hint="Of work; waiting for you does not count."
          min={1}
          max={86_400}
          step={1}
        />
        <Choice
          id="set-decideFirst"
          name="Before an answer is delivered"
          value={now.decideFirst === null ? '' : String(now.decideFirst)}
          options={{
            '': 'As the session is set',
            true: 'I decide on it',
            false: 'Beatrice’s approval is enough',
          }}
          set={(value) => {
            change({ decideFirst: value === '' ? null : value === 'true' });
          }}
        />
        <SetLines
          field="criteria"
          name="Criteria, one on each line"
          hint="Beatrice answers to each of them."
          rows={3}
          fault={criteriaFault}
        />
      </fieldset>
      <Sampling />
      <fieldset>
        <legend>Memory</legend>
        <SetSwitch field="useContext" name="Use what this session remembers" />
        <SetSwitch
          field="includeLessons"
          name="with what the agents have learned"
          disabled={!now.useContext}
        />
        <SetSwitch field="includeCauses" name="with what led to what" disabled={!now.useContext} />
        <SetNumber field="maxContextTurns" name="Most remembered turns" min={0} max={200} step={1} whole />
        <SetNumber
          field="maxContextTokens"
          name="Most tokens from memory"
          min={0}
          max={200_000}
          step={500}
          whole
        />
      </fieldset>
      <fieldset>
        <legend>Page</legend>
        <Choice
          id="set-theme"
          name="Colours"
          value={now.theme}
          options={{ system: 'As the system', light: 'Light', dark: 'Dark' }}
          set={(value) => {
            change({ theme: value as Settings['theme'] });
          }}
        />
      </fieldset>
      <p class="quiet">
        An empty field leaves the choice to the server. What is set here is kept in this browser and goes with
        each directive; what is set for the session holds for every program that uses it.
      </p>
      <button class="small" type="button" onClick={changeBack}>
        Leave everything to the server
      </button>
    </form>
  );
}

/** Who answers. */
function Models() {
  const provider = health.value?.provider;
  const preferred = openSession.value?.user_preferences.models;
  return (
    <fieldset>
      <legend>Provider</legend>
      <p class="quiet">
        {provider ? `${provider.name}, ${provider.base_url ?? 'built in'}` : 'not known'}
        {health.value && ` · CCC ${health.value.version}`}
      </p>
      <SetModel field="model" name="Model" placeholder={provider?.model ?? ''} />
      <SetModel
        field="beatriceModel"
        name="Beatrice’s model"
        hint="Guides and reviews."
        placeholder={preferred?.beatrice ?? 'as the server chooses'}
      />
      <SetModel
        field="codeyModel"
        name="Codey’s model"
        hint="Writes, and answers alone where there is no review."
        placeholder={preferred?.codey ?? 'as the server chooses'}
      />
      <datalist id="models">
        {models.value.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </fieldset>
  );
}

/** How Codey chooses his words. Beatrice's calls are the server's. */
function Sampling() {
  return (
    <fieldset>
      <legend>Codey’s writing</legend>
      <SetNumber
        field="temperature"
        name="Temperature"
        hint="0 is steady, 1 and more is lively."
        min={0}
        max={2}
        step={0.1}
      />
      <SetNumber
        field="topP"
        name="Top p"
        hint="Only the likeliest words that together make up this share. Set this or the temperature."
        min={0}
        max={1}
        step={0.05}
      />
      <SetNumber
        field="maxTokens"
        name="Longest answer"
        hint="In tokens; Codey stops there, even inside a sentence."
        min={1}
        step={1}
        whole
      />
      <details>
        <summary>Seed, stop words, penalties</summary>
        <div class="fields">
          <SetNumber
            field="seed"
            name="Seed"
            hint="The same seed and the same words give much the same answer, where the model can do that."
            min={Number.MIN_SAFE_INTEGER}
            max={Number.MAX_SAFE_INTEGER}
            step={1}
            whole
          />
          <SetLines
            field="stop"
            name="Stop words, one on each line"
            hint="Codey stops before he writes one of them; \n stands for a line end. Most models take four."
            rows={2}
          />
          <SetNumber
            field="presencePenalty"
            name="Presence penalty"
            hint="Above 0: rather new subjects. Below 0: rather the same."
            min={-2}
            max={2}
            step={0.1}
          />
          <SetNumber
            field="frequencyPenalty"
            name="Frequency penalty"
            hint="Above 0: the more often a word has come, the less likely it comes again."
            min={-2}
            max={2}
            step={0.1}
          />
        </div>
      </details>
    </fieldset>
  );
}

function criteriaFault(text: string): string | null {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length > MOST_CRITERIA) return `Too many: the server takes at most ${String(MOST_CRITERIA)}.`;
  return lines.some((line) => line.trim().length > LONGEST_CRITERION)
    ? `One is too long: the server takes at most ${LONGEST_CRITERION.toLocaleString()} characters.`
    : null;
}
