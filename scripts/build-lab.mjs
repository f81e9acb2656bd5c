/** Bundles the lab page's TypeScript and styles into `public/assets`. Nothing is fetched at run time. */
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

await build({
  absWorkingDir: root,
  entryPoints: {
    lab: 'lab/main.ts',
    'lab-style': 'lab/styles/lab.css',
    'graph-worker': 'lab/graph/worker.ts',
  },
  outdir: 'public/assets',
  bundle: true,
  minify: true,
  sourcemap: false,
  format: 'esm',
  target: ['es2022'],
  legalComments: 'linked',
  logLevel: 'warning',
});
