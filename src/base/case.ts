type Snake<S extends string> = S extends `${infer Head}${infer Tail}`
  ? Head extends Lowercase<Head>
    ? `${Head}${Snake<Tail>}`
    : `_${Lowercase<Head>}${Snake<Tail>}`
  : S;

/** The same object with snake_case keys, one level deep: what is inside a value is the person's and stays as it is. */
export type SnakeKeys<T> = { [K in keyof T as K extends string ? Snake<K> : K]: T[K] };

/** Renames the keys of one object to snake_case, one level deep. */
export function snakeKeys<T extends object>(value: T): SnakeKeys<T> {
  const entries = Object.entries(value).map(([key, inner]) => [
    key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    inner,
  ]);
  return Object.fromEntries(entries) as SnakeKeys<T>;
}
