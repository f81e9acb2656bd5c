interface VerdictShape {
  decision: string;
  issues: { id: string; severity: string; where?: string; fix?: string }[];
}

/** Beatrice's verdict when the text is one; anything else is shown as it is. */
export function parseVerdict(text: string): VerdictShape | null {
  try {
    const value = JSON.parse(text) as Partial<VerdictShape>;
    if (typeof value.decision !== 'string') return null;
    return { decision: value.decision, issues: Array.isArray(value.issues) ? value.issues : [] };
  } catch {
    return null;
  }
}

const DECISIONS: Record<string, string> = {
  approve: 'Approved',
  revise: 'Asks for a revision',
  ask_person: 'Asks the person',
};

export function Verdict({ verdict }: { verdict: VerdictShape }) {
  return (
    <div class="body">
      <span class="chip">{DECISIONS[verdict.decision] ?? verdict.decision}</span>
      {verdict.issues.length > 0 && (
        <ul class="issues">
          {verdict.issues.map((issue) => (
            <li key={issue.id}>
              <strong>{issue.severity}</strong>
              {issue.where ? ` · ${issue.where}` : ''}
              {issue.fix ? `: ${issue.fix}` : ''}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
