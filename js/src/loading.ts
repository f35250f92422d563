// How long a model has been loading, as the page can know it.

export class LoadingTime {
  #seen_ms = 0

  /** `since_ms` by the wall clock of the kernel's machine, 0 where it is not known. */
  seconds(is_loading: boolean, since_ms: number, now_ms = Date.now()): number {
    if (!is_loading) {
      this.#seen_ms = 0
      return 0
    }
    this.#seen_ms ||= now_ms
    // The kernel's machine may have another wall clock; then count from when this page saw it.
    const is_plausible = since_ms > 0 && since_ms <= this.#seen_ms + 1000
    return (now_ms - (is_plausible ? since_ms : this.#seen_ms)) / 1000
  }
}
