/** The walls of the house: who may know whom. See docs/architecture.md. */
const layer = (name, from, allowed) => ({
  name: `${name}-knows-only-its-neighbours`,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: allowed },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, pathNot: '\\.d\\.ts$' }, to: {} },
    layer('base', '^src/base/', '^src/base/'),
    layer('config', '^src/config/', '^src/(base|config)/'),
    layer('models', '^src/models/', '^src/(base|text|models)/'),
    layer('text', '^src/text/', '^src/(base|text)/'),
    layer('store', '^src/store/', '^src/(base|store)/'),
    layer('jobs', '^src/jobs/', '^src/(base|store|jobs)/'),
    layer('causal', '^src/causal/', '^src/(base|text|models|store|jobs|causal)/'),
    layer('memory', '^src/memory/', '^src/(base|text|models|store|jobs|causal|memory)/'),
    layer('covenant', '^src/covenant/', '^src/(base|text|models|store|jobs|causal|memory|covenant)/'),
    {
      name: 'nothing-knows-http',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(http/|app\\.ts|build-parts\\.ts|main\\.ts|index\\.ts)' },
      to: { path: '^src/http/' },
    },
    {
      name: 'the-page-uses-the-public-api-only',
      severity: 'error',
      from: { path: '^lab/' },
      to: { path: '^src/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'], exportsFields: ['exports'] },
  },
};
