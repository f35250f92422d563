/** Waiting times that double from `first_ms` up to `longest_ms`. */
export class Backoff {
  #next_ms: number

  constructor(
    readonly first_ms: number,
    readonly longest_ms: number,
  ) {
    this.#next_ms = first_ms
  }

  next(): number {
    const wait_ms = this.#next_ms
    this.#next_ms = Math.min(wait_ms * 2, this.longest_ms)
    return wait_ms
  }

  reset(): void {
    this.#next_ms = this.first_ms
  }
}
