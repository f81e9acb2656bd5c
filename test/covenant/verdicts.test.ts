import { describe, expect, it } from 'vitest';
import { parseVerdict } from '../../src/covenant/verdict/parse-verdict.ts';
import { VERDICT_JSON_SCHEMA } from '../../src/covenant/verdict/verdict-schema.ts';

const ISSUE = '{"id":"x","severity":"major","where":"line 2","fix":"say four"}';
const APPROVE = '{"decision":"approve","issues":[],"resolved":[],"criteria":[],"lesson":null}';
const REVISE = `{"decision":"revise","issues":[${ISSUE}],"resolved":[],"criteria":[],"lesson":null}`;

/** Answers of models as they were seen, and the decision that is really in them. */
const READABLE: [name: string, answer: string, decision: string][] = [
  ['the object alone', APPROVE, 'approve'],
  ['a revision', REVISE, 'revise'],
  ['white space around it', `\n\n  ${APPROVE}\n`, 'approve'],
  ['a json fence', `\`\`\`json\n${APPROVE}\n\`\`\``, 'approve'],
  ['a fence without a language', `\`\`\`\n${REVISE}\n\`\`\``, 'revise'],
  ['a sentence before it', `Here is my verdict:\n${REVISE}`, 'revise'],
  ['a sentence after it', `${APPROVE}\nLet me know if you need more.`, 'approve'],
  ['sentences on both sides', `Sure!\n${REVISE}\nHope this helps {smile}.`, 'revise'],
  ['thinking before it', `<think>The draft {is} fine?</think>${APPROVE}`, 'approve'],
  ['a raw line break in a string', APPROVE.replace('"lesson":null', '"lesson":"one\ntwo"'), 'approve'],
  ['a raw tab in a string', APPROVE.replace('"lesson":null', '"lesson":"one\ttwo"'), 'approve'],
  ['a comma before the last brace', APPROVE.replace('null}', 'null,}'), 'approve'],
  ['a comma before a bracket', REVISE.replace(`${ISSUE}]`, `${ISSUE},]`), 'revise'],
  ['no lesson', '{"decision":"approve","issues":[],"resolved":[],"criteria":[]}', 'approve'],
  ['only the decision', '{"decision":"approve"}', 'approve'],
  ['null for empty lists', '{"decision":"approve","issues":null,"resolved":null,"criteria":null}', 'approve'],
  ['a field that was made up', `{"confidence":0.9,${APPROVE.slice(1)}`, 'approve'],
  ['made-up fields in an issue', REVISE.replace('"id":"x"', '"id":"x","note":"hm"'), 'revise'],
  ['an issue without an id', REVISE.replace('"id":"x",', ''), 'revise'],
  ['a number for an id', REVISE.replace('"id":"x"', '"id":7'), 'revise'],
  ['an issue without a fix', REVISE.replace(',"fix":"say four"', ''), 'revise'],
  [
    'true for a criterion that is met',
    '{"decision":"approve","criteria":[{"id":"c1","met":true}]}',
    'approve',
  ],
  ['a criterion without evidence', '{"decision":"approve","criteria":[{"id":"c1","met":"yes"}]}', 'approve'],
  [
    'the fields in another order',
    '{"issues":[],"lesson":null,"criteria":[],"resolved":[],"decision":"approve"}',
    'approve',
  ],
  ['braces inside strings', APPROVE.replace('"lesson":null', '"lesson":"use {} and }{"'), 'approve'],
  ['quotes inside strings', APPROVE.replace('"lesson":null', String.raw`"lesson":"say \"no\""`), 'approve'],
  ['the schema repeated before the verdict', `${JSON.stringify(VERDICT_JSON_SCHEMA)}\n${REVISE}`, 'revise'],
  ['the same verdict twice', `${APPROVE}\n${APPROVE}`, 'approve'],
  ['a byte order mark', `\uFEFF${APPROVE}`, 'approve'],
  ['words of approval around a revision', `Approved? No. ${REVISE} approve approve`, 'revise'],
];

/** Answers that hold no verdict. None of them may count as an approval, nor as a fault of the draft. */
const UNREADABLE: [name: string, answer: string][] = [
  ['nothing', ''],
  ['only the word', 'approve'],
  ['only a sentence', 'The draft is approved.'],
  ['"Notably, …", which begins with no', 'Notably, the draft is good.'],
  ['"No issues found"', 'No issues found. Approved!'],
  ['an object cut short after the decision', '{"decision":"approve","issues":[{"id":"x","sever'],
  ['an object cut short inside a string', '{"decision":"approve","lesson":"because'],
  ['no decision', '{"issues":[],"resolved":[],"criteria":[]}'],
  ['a decision that is none', '{"decision":"maybe"}'],
  ['a decision in capitals', '{"decision":"APPROVE"}'],
  ['a decision that is a boolean', '{"decision":true}'],
  ['all the decisions', '{"decision":"approve | revise | ask_person"}'],
  ['the decision one level down', `{"verdict":${APPROVE}}`],
  ['a list', `[${APPROVE},${REVISE}]`],
  ['the schema and nothing else', JSON.stringify(VERDICT_JSON_SCHEMA)],
  ['two verdicts that contradict each other', `${APPROVE}\n${REVISE}`],
  ['a revision that names nothing', '{"decision":"revise","issues":[]}'],
  ['issues that are text', '{"decision":"approve","issues":"none"}'],
  ['a severity that is none', REVISE.replace('major', 'critical')],
  [
    'a criterion answered with a word that is none',
    '{"decision":"approve","criteria":[{"id":"c1","met":"mostly"}]}',
  ],
  ['single quotes', "{'decision':'approve'}"],
  ['a score', '{"score":10}'],
  ['null', 'null'],
  ['a refusal', "I'm sorry, but I can't help with that."],
];

describe('reading a verdict', () => {
  it('has at least forty answers that are not what was asked for', () => {
    expect(READABLE.length - 2 + UNREADABLE.length).toBeGreaterThanOrEqual(40);
  });

  it.each(READABLE)('finds the decision in %s', (_name, answer, decision) => {
    expect(parseVerdict(answer)).toMatchObject({ ok: true, verdict: { decision } });
  });

  it.each(UNREADABLE)('finds none in %s', (_name, answer) => {
    const parsed = parseVerdict(answer);
    expect(parsed.ok).toBe(false);
    expect((parsed as { problem: string }).problem).not.toBe('');
  });
});
