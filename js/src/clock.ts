// The kernel's monotonic clock as seen from this page.

interface Sample {
  round_trip_ms: number
  offset_ms: number
}

/** Enough for half a minute of heartbeats: old samples leave, so that clock drift is followed. */
const SAMPLES = 16
/** More than two clocks drift apart within as many samples. */
const DRIFT_MS = 50

/**
 * Estimates kernel time minus page time from ping and pong.
 *
 * Of the newest samples the one with the shortest round trip counts: a delay on one of the two ways is the whole
 * error of an estimate, and the shortest trip has the least room for it. A sample that cannot be true beside the best
 * means that one of the clocks has jumped: a browser's stands still while its machine sleeps.
 */
export class KernelClock {
  readonly #samples: Sample[] = []
  #best: Sample | null = null

  /** All three in milliseconds; `sent_ms` and `received_ms` by `performance.now()`, `kernel_ms` by the kernel. */
  add(sent_ms: number, kernel_ms: number, received_ms: number): void {
    const round_trip_ms = received_ms - sent_ms
    if (!(round_trip_ms >= 0) || !Number.isFinite(kernel_ms)) return
    const offset_ms = kernel_ms - (sent_ms + received_ms) / 2
    const best = this.#best
    const room_ms = DRIFT_MS + (round_trip_ms + (best?.round_trip_ms ?? 0)) / 2
    if (best !== null && Math.abs(offset_ms - best.offset_ms) > room_ms) this.reset()
    this.#samples.push({ round_trip_ms, offset_ms })
    if (this.#samples.length > SAMPLES) this.#samples.shift()
    this.#best = this.#samples.reduce((best, sample) => (sample.round_trip_ms < best.round_trip_ms ? sample : best))
  }

  get round_trip_ms(): number | null {
    return this.#best?.round_trip_ms ?? null
  }

  /** Kernel time at a page time; null before the first pong. */
  kernelTime(page_ms: number): number | null {
    return this.#best === null ? null : page_ms + this.#best.offset_ms
  }

  /** The kernel behind the connection may be another one now. */
  reset(): void {
    this.#samples.length = 0
    this.#best = null
  }
}
