/** Memory that a posting takes here, in turns of an index (`IndexCache`): a text, a list and a place in a map. */
const WEIGHT = 8;

/** Where the terms of a session occur that have not been taken over into its index, by term. */
export class RecentTerms {
  readonly #postings = new Map<string, number[]>();
  #count = 0;

  add(postings: Iterable<[term: string, posting: number]>): void {
    for (const [term, posting] of postings) {
      const known = this.#postings.get(term);
      if (known) known.push(posting);
      else this.#postings.set(term, [posting]);
      this.#count += 1;
    }
  }

  clear(): void {
    this.#postings.clear();
    this.#count = 0;
  }

  /** Packed postings, in the order of writing; for reading only. */
  of(term: string): readonly number[] {
    return this.#postings.get(term) ?? [];
  }

  get weight(): number {
    return this.#count * WEIGHT;
  }
}
