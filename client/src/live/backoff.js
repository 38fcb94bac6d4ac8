/** Full jitter: random(0, min(longest, base · 2ⁿ)) + 0.1 s, so that readers do not return all at once. */
export class Backoff {
  #attempts = 0;
  #random;

  /** @param {() => number} random @param {{base?: number, longest?: number}} [span] In ms. */
  constructor(random, { base = 500, longest = 30_000 } = {}) {
    this.#random = random;
    this.base = base;
    this.longest = longest;
  }

  reset() {
    this.#attempts = 0;
  }

  next() {
    const ceiling = Math.min(this.longest, this.base * 2 ** this.#attempts++);
    return this.#random() * ceiling + 100;
  }
}
