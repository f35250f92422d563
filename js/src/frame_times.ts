// When each frame arrived and was drawn, for the kernel's statistics.
import type { KernelClock } from "./clock"
import type { Drawn } from "./painter/surface"

/** More than a second of any display; a report that is late drops the oldest. */
const CAPACITY = 256
const UNKNOWN = -1

export class FrameTimes {
  #drawn: Drawn[] = []

  add(drawn: Drawn): void {
    if (drawn.rtp_timestamp === null) return
    if (this.#drawn.length === CAPACITY) this.#drawn.shift()
    this.#drawn.push(drawn)
  }

  /**
   * What was added since the last call, four numbers to a frame as `painted` carries them: RTP timestamp, received,
   * decoded, drawn, the last three in milliseconds of the kernel's clock, -1 where unknown. Empty before the first pong.
   *
   * `receive_ms` stands in where the browser does not tell when a frame's packets came: the mean time, of the last
   * second, from there to the decoded frame.
   */
  take(clock: KernelClock, receive_ms: number | null): number[] {
    const drawn = this.#drawn
    this.#drawn = []
    const at = (page_ms: number | null) => {
      const kernel_ms = page_ms === null ? null : clock.kernelTime(page_ms)
      return kernel_ms === null ? UNKNOWN : Math.round(kernel_ms * 100) / 100
    }
    if (clock.kernelTime(0) === null) return []
    return drawn.flatMap(({ rtp_timestamp, received_ms, decoded_ms, drawn_ms }) => {
      const mean_ms = receive_ms === null ? null : decoded_ms - receive_ms
      return [rtp_timestamp ?? UNKNOWN, at(received_ms ?? mean_ms), at(decoded_ms), at(drawn_ms)]
    })
  }
}
