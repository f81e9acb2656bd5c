// Starts worker.ts when the code runs from its sources: a thread does not inherit the loader that reads TypeScript.
// Not part of the build, which has worker.js.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
