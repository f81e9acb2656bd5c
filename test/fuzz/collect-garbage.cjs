// Loaded into the server before its own code (`node --require`): collects garbage when it is told to, so that what it
// holds can be told from what it has not thrown away yet.
const { isMainThread } = require('node:worker_threads');
if (isMainThread) {
  require('node:v8').setFlagsFromString('--expose-gc');
  const collect = require('node:vm').runInNewContext('gc');
  process.on('SIGUSR2', () => collect());
}
