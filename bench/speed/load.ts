/** The client as a process of its own: takes a load from the parent, sends back what came of it. */
import { run, type Load } from './client.ts';

process.on('message', (load: Load) => {
  run(load).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.send?.({ port: 0 });
