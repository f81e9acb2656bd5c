import type { CycleBody, MemoryBody, SamplingBody } from '../api/types.ts';
import type { Settings } from '../state/settings.ts';

/** What the settings add to a directive; what is not set is the server's to choose. */
export function cycleOptions(settings: Settings): Omit<CycleBody, 'directive' | 'conversation_id'> {
  const { beatriceModel: beatrice, codeyModel: codey } = settings;
  const criteria = lines(settings.criteria)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return {
    ...(settings.model === '' ? {} : { model: settings.model }),
    ...(beatrice === '' && codey === ''
      ? {}
      : { models: { ...(beatrice === '' ? {} : { beatrice }), ...(codey === '' ? {} : { codey }) } }),
    ...sampling(settings),
    ...given('max_rounds', settings.maxRounds),
    ...given('max_total_tokens', settings.maxTotalTokens),
    ...given('max_seconds', settings.maxSeconds),
    ...given('decide_before_delivery', settings.decideFirst),
    ...(criteria.length === 0 ? {} : { criteria }),
    memory_options: memory(settings),
  };
}

/** The same for an answer without supervision, where Codey is alone and the request has to name a model. */
export function directOptions(settings: Settings, model = ''): object {
  const chosen = [settings.codeyModel, settings.model, model].find((name) => name !== '');
  return {
    ...(chosen === undefined ? {} : { model: chosen }),
    ...sampling(settings),
    memory_options: memory(settings),
  };
}

function sampling(settings: Settings): SamplingBody {
  const stop = lines(settings.stop)
    .filter((line) => line !== '')
    .map((line) => line.replaceAll('\\n', '\n'));
  return {
    ...given('temperature', settings.temperature),
    ...given('top_p', settings.topP),
    ...given('max_tokens', settings.maxTokens),
    ...given('seed', settings.seed),
    ...given('presence_penalty', settings.presencePenalty),
    ...given('frequency_penalty', settings.frequencyPenalty),
    ...(stop.length === 0 ? {} : { stop }),
  };
}

function memory(settings: Settings): MemoryBody {
  return {
    use_context: settings.useContext,
    include_agent_state: settings.includeLessons,
    include_causal: settings.includeCauses,
    ...given('max_context_turns', settings.maxContextTurns),
    ...given('max_context_tokens', settings.maxContextTokens),
  };
}

function lines(text: string): string[] {
  return text.split('\n');
}

function given<K extends string, V>(name: K, value: V | null): Partial<Record<K, V>> {
  return value === null ? {} : ({ [name]: value } as Record<K, V>);
}
