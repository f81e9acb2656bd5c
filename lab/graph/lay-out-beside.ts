import { inRows, type Arrow, type Box, type Drawing } from './drawing.ts';

/** Longest wait for a good layout, in milliseconds; then a plain one is drawn. */
const DEADLINE_MS = 4_000;

interface Policy {
  createScriptURL(url: string): unknown;
}
interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): Policy;
}

let policy: Policy | null = null;

/** The worker's address, as browsers with Trusted Types want it. There is only this one. */
function workerAddress(): string {
  const address = '/assets/graph-worker.js';
  const { trustedTypes } = window as { trustedTypes?: PolicyFactory };
  if (!trustedTypes) return address;
  policy ??= trustedTypes.createPolicy('ccc-graph-worker', { createScriptURL: () => address });
  return policy.createScriptURL(address) as string;
}

/** Lays out in a worker; in rows when that takes too long or fails. */
export function layOutBeside(boxes: Box[], arrows: Arrow[]): Promise<Drawing> {
  return new Promise((resolve) => {
    const worker = new Worker(workerAddress(), { type: 'module' });
    const done = (drawing: Drawing) => {
      window.clearTimeout(timer);
      worker.terminate();
      resolve(drawing);
    };
    const plainly = () => {
      done(inRows(boxes, arrows));
    };
    const timer = window.setTimeout(plainly, DEADLINE_MS);
    worker.onmessage = ({ data }: MessageEvent<Drawing>) => {
      done(data);
    };
    worker.onerror = plainly;
    worker.postMessage({ boxes, arrows });
  });
}
