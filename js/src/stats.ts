// What one view has painted, in buffers of fixed size.

const CAPACITY = 256
const WINDOW_MS = 1000
/** Slow models: two frames make a rate if they are no further apart than this. */
const LONG_WINDOW_MS = 5000

export class PaintStats {
  painted = 0
  skipped = 0
  #started_ms = 0
  #first_paint_ms: number | null = null
  readonly #drawn_ms = new Float64Array(CAPACITY)
  readonly #latency_ms = new Float64Array(CAPACITY)

  constructor(started_ms: number) {
    this.#started_ms = started_ms
  }

  /** From the view's start to its first painted frame. */
  get first_paint_ms(): number | null {
    return this.#first_paint_ms
  }

  paint(drawn_ms: number, latency_ms: number | null): void {
    const slot = this.painted % CAPACITY
    this.#drawn_ms[slot] = drawn_ms
    this.#latency_ms[slot] = latency_ms ?? Number.NaN
    this.painted += 1
    this.#first_paint_ms ??= drawn_ms - this.#started_ms
  }

  /** Frames painted per second, over the last second, or over more when frames are rare. 0 when the picture rests. */
  rate(now_ms: number): number {
    for (const window_ms of [WINDOW_MS, LONG_WINDOW_MS]) {
      const recent = this.#count(now_ms - window_ms)
      if (recent < 3 && window_ms !== LONG_WINDOW_MS) continue
      if (recent < 2) return 0
      const newest = this.#at(this.#drawn_ms, 1)
      const oldest = this.#at(this.#drawn_ms, recent)
      return newest > oldest ? ((recent - 1) * 1000) / (newest - oldest) : 0
    }
    return 0
  }

  /** Median of the last second's emit-to-drawn times; null while none is known. */
  latency(now_ms: number): number | null {
    const values: number[] = []
    const recent = this.#count(now_ms - WINDOW_MS)
    for (let back = 1; back <= recent; back += 1) {
      const value = this.#at(this.#latency_ms, back)
      if (!Number.isNaN(value)) values.push(value)
    }
    if (values.length === 0) return null
    values.sort((a, b) => a - b)
    return values[values.length >> 1] ?? null
  }

  /** How many of the kept frames were drawn after `since_ms`. */
  #count(since_ms: number): number {
    const kept = Math.min(this.painted, CAPACITY)
    let count = 0
    while (count < kept && this.#at(this.#drawn_ms, count + 1) > since_ms) count += 1
    return count
  }

  #at(ring: Float64Array, back: number): number {
    return ring[(this.painted - back) % CAPACITY] ?? Number.NaN
  }
}
