/** One or more settings are wrong. The message names each of them and never holds a secret's value. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  /** One sentence for each bad setting. */
  readonly problems: string[];

  constructor(problems: string[]) {
    super(problems.join(' '));
    this.problems = problems;
  }
}
