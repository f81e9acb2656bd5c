import { parse } from 'acorn';
import type { CheckResult } from '../machine/state.ts';
import { told } from './check.ts';

/** Blocks that are looked at, and the longest, in characters: a check must not hold up an answer. */
const MOST_BLOCKS = 20;
const LONGEST = 100_000;

interface Block {
  language: string;
  code: string;
}

const FENCE = /^[^\S\n]{0,3}(`{3,}|~{3,})([^\n`]*)\n([\s\S]*?)^[^\S\n]{0,3}\1[`~]*[^\S\n]*$/gm;

/** The fenced code blocks of a text, and the text without them. */
export function fencedBlocks(text: string): { blocks: Block[]; prose: string } {
  const blocks: Block[] = [];
  const prose = text.replace(FENCE, (_all, _fence: string, info: string, code: string) => {
    blocks.push({
      language:
        info
          .trim()
          .split(/[\s{,]/, 1)[0]
          ?.toLowerCase() ?? '',
      code,
    });
    return '';
  });
  return { blocks, prose };
}

/** How each language that is looked at is read; a parser throws what is wrong. TypeScript and JSX are not looked at. */
const PARSERS: Record<string, { name: string; read: (code: string) => unknown }> = {
  json: { name: 'JSON', read: (code) => JSON.parse(code) as unknown },
  javascript: { name: 'JavaScript', read: readJavaScript },
};
const ALIASES: Record<string, string> = { js: 'javascript', mjs: 'javascript', cjs: 'javascript' };

/**
 * Fenced blocks that say they are JSON or JavaScript. Told only: examples with "…" or comments in them are often meant so.
 */
export function codeBlocks(text: string): CheckResult[] {
  const seen = new Map<string, number>();
  return fencedBlocks(text)
    .blocks.slice(0, MOST_BLOCKS)
    .flatMap(({ language, code }) => {
      const parser = PARSERS[ALIASES[language] ?? language];
      if (!parser) return [];
      const number = (seen.get(parser.name) ?? 0) + 1;
      seen.set(parser.name, number);
      if (code.length > LONGEST) return [];
      try {
        parser.read(code);
        return [];
      } catch (error) {
        const why = (error as Error).message;
        return [told('code_block', false, `${parser.name} block ${String(number)} does not parse: ${why}.`)];
      }
    });
}

/** As a module, then as a script: pieces of code may return or await without a function around them. */
function readJavaScript(code: string): void {
  const loose = {
    ecmaVersion: 'latest' as const,
    allowReturnOutsideFunction: true,
    allowAwaitOutsideFunction: true,
    allowHashBang: true,
  };
  try {
    parse(code, { ...loose, sourceType: 'module' });
  } catch (error) {
    try {
      parse(code, { ...loose, sourceType: 'script' });
    } catch {
      throw error;
    }
  }
}
