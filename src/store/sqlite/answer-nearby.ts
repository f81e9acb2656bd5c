import { CccError } from '../../base/ccc-error.ts';
import type { MemoryDAL } from '../memory-dal.ts';
import type { NearbyModule } from '../nearby-module.ts';
import { asCccError } from './error-crossing.ts';
import type { Outcome } from './group-writer.ts';

/** Names of methods, and whether each writes. */
type Methods = Readonly<Record<string, boolean>>;
/** Calls a method of a store. */
type Read = (store: string, method: string, args: unknown[], settle: (outcome: Outcome) => void) => void;

/** What a module answers, by name. `call` never throws, and is false for a name that is not there. */
export interface NearbyAnswers {
  names: Methods;
  call(name: string, args: unknown[], settle: (outcome: Outcome) => void): boolean;
  /** Resolves when all that was asked is answered. */
  answered(): Promise<void>;
}

/** A module's answers over the reading methods of a connection. */
export function answerNearby(
  module: NearbyModule,
  methods: Readonly<Record<string, Methods>>,
  read: Read,
): NearbyAnswers {
  const answers = module.nearby(readingDal(methods, read)) as Record<
    string,
    (...args: unknown[]) => Promise<unknown>
  >;
  const oneByOne = inTurns();
  const underWay = new Set<Promise<void>>();
  const begin = (answer: (...args: unknown[]) => Promise<unknown>, args: unknown[]): Promise<Outcome> =>
    new Promise((resolve) => {
      oneByOne(() => {
        Promise.resolve()
          .then(() => answer(...args))
          .then(
            (value) => {
              resolve({ ok: true, value });
            },
            (error: unknown) => {
              resolve({ ok: false, error: asCccError(error) });
            },
          );
      });
    });
  return {
    // None of them writes.
    names: Object.fromEntries(Object.keys(answers).map((name) => [name, false])),
    call: (name, args, settle) => {
      const answer = Object.hasOwn(answers, name) ? answers[name] : undefined;
      if (!answer) return false;
      const answering = begin(answer, args)
        .then(settle)
        .finally(() => underWay.delete(answering));
      underWay.add(answering);
      return true;
    },
    answered: async () => {
      await Promise.all(underWay);
    },
  };
}

/**
 * Begins one thing in each turn of the event loop. Such an answer takes long: begun together, all of them would be ready when
 * the last one is. So the first is on its way while the next is being made, and short questions come in between.
 */
function inTurns(): (begin: () => void) => void {
  const waiting: (() => void)[] = [];
  const next = () => {
    waiting.shift()?.();
    if (waiting.length > 0) setImmediate(next);
  };
  return (begin) => {
    waiting.push(begin);
    if (waiting.length === 1) setImmediate(next);
  };
}

function readingDal(methods: Readonly<Record<string, Methods>>, read: Read): MemoryDAL {
  const stores = Object.entries(methods).map(([store, names]) => [
    store,
    Object.fromEntries(
      Object.entries(names).map(([method, writes]) => [
        method,
        writes
          ? () => Promise.reject(new CccError('internal_error', `${store}.${method} writes: not from here.`))
          : (...args: unknown[]) => asPromise((settle) => read(store, method, args, settle)),
      ]),
    ),
  ]);
  return { ...(Object.fromEntries(stores) as MemoryDAL), shared: null, nearby: null };
}

function asPromise(begin: (settle: (outcome: Outcome) => void) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    begin((outcome) => {
      if (outcome.ok) resolve(outcome.value);
      else reject(outcome.error);
    });
  });
}
