import { createRequire } from 'node:module';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { findChromium } from '../../scripts/find-chromium.mjs';

/** A Chromium that calls nobody but the page's own server. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error('No Chromium found: run node scripts/prepare-tests.mjs.');
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface Lab {
  page: Page;
  /** What went wrong behind the page: errors in scripts, and what the security policy had to refuse. */
  faults: string[];
  /** Types a directive and sends it with Enter. */
  say(directive: string): Promise<void>;
  /** Waits until the cycle has ended. */
  ended(): Promise<void>;
  close(): Promise<void>;
}

/** A person's window on the lab, with a memory of its own. */
export async function openLab(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<Lab> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  await page.exposeFunction('reportViolation', (text: string) => faults.push(text));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      const { reportViolation } = window as unknown as { reportViolation: (text: string) => void };
      reportViolation(`refused by the policy: ${violatedDirective} ${blockedURI}`);
    });
  });
  await page.goto(address);
  return {
    page,
    faults,
    say: async (directive) => {
      await page.getByLabel('Directive', { exact: true }).fill(directive);
      await page.getByLabel('Directive', { exact: true }).press('Enter');
    },
    ended: async () => {
      await page.getByRole('status').locator('.chip').waitFor();
    },
    close: () => context.close(),
  };
}

/** The turns of the conversation as a person sees them: who, what, and the text. */
export function shownTurns(page: Page): Promise<{ who: string; kind: string; text: string }[]> {
  return page.locator('.turn').evaluateAll((turns) =>
    turns.map((turn) => ({
      who: turn.querySelector('.who')?.textContent ?? '',
      kind: turn.getAttribute('data-kind') ?? '',
      text: turn.querySelector('.body, .verdict-body, p')?.textContent ?? '',
    })),
  );
}

/**
 * Notes from now on for how long the page stands still. Asked at the end: the times in milliseconds, the longest first.
 * One or two may be the machine's, which did something else; what the page does wrong it does again and again.
 */
export async function watchStalls(page: Page): Promise<() => Promise<number[]>> {
  await page.evaluate(() => {
    const noted: number[] = [];
    const observer = new PerformanceObserver((list) => {
      noted.push(...list.getEntries().map(({ duration }) => duration));
    });
    observer.observe({ type: 'longtask' });
    Object.assign(window, {
      stalls: () => {
        noted.push(...observer.takeRecords().map(({ duration }) => duration));
        return noted.toSorted((a, b) => b - a);
      },
    });
  });
  return () => page.evaluate(() => (window as unknown as { stalls: () => number[] }).stalls());
}

/** What axe-core finds wrong with what is shown. The page has to be opened with `bypassCSP`: axe is a foreign script. */
export async function axeFindings(page: Page): Promise<string[]> {
  const loaded = await page.evaluate(() => 'axe' in window);
  if (!loaded) await page.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core') });
  const violations = await page.evaluate(async () => {
    interface Axe {
      run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
    }
    return (await (window as unknown as { axe: Axe }).axe.run()).violations;
  });
  return violations.map(
    ({ id, impact, nodes }) => `${impact} ${id} ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`,
  );
}
