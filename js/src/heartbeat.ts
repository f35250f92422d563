// Pings over the data channel: they keep the kernel's peer alive, feed the clock, and notice a lost connection.
import type { KernelClock } from "./clock"
import type { PingMessage, PongMessage } from "./protocol"

/** While somebody watches: a road that breaks is to be noticed before the eye does. */
export const PING_WATCHED_MS = 300
export const PING_EVERY_MS = 2000
/**
 * Another carrier takes over when neither a pong nor a frame came for so long. A pong alone may be late: a word that is
 * lost is sent again after a second.
 */
export const SILENT_MS = 1100
/** Where frames came one after the other until then: both cannot stop by chance. */
export const HALTED_MS = 650
const FLOWING_MS = 500
/** The peer is given up. */
export const LOST_MS = 6000
/** The first pings come quickly: one round trip alone is a poor estimate of the kernel's clock. */
const FIRST_PINGS_MS = [50, 150, 300, 600]

export interface HeartbeatEvents {
  send(ping: PingMessage): void
  /** Watched, and neither pongs nor frames any more. It may be heard again. */
  onSilent(): void
  onHeard(): void
  /** No pong for `LOST_MS`; once. */
  onLost(): void
}

/** Beats until `signal` ends. */
export class Heartbeat {
  readonly #events: HeartbeatEvents
  readonly #clock: KernelClock
  #last_pong_ms = performance.now()
  /** Of the last two frames. */
  #frames_ms: [number, number] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  #due_ms = 0
  #is_watched: boolean
  #is_silent = false
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #first: ReturnType<typeof setTimeout>[]
  readonly #signal: AbortSignal

  constructor(clock: KernelClock, is_watched: boolean, events: HeartbeatEvents, signal: AbortSignal) {
    this.#events = events
    this.#clock = clock
    this.#is_watched = is_watched
    this.#signal = signal
    this.#first = FIRST_PINGS_MS.map((wait_ms) => setTimeout(() => this.#ping(), wait_ms))
    const end = () => {
      this.#first.forEach(clearTimeout)
      clearTimeout(this.#timer)
    }
    signal.addEventListener("abort", end, { once: true })
    this.#ping()
    this.#later()
  }

  /** Whether somebody watches. One who comes back is to know at once whether the road still stands. */
  set is_watched(is_watched: boolean) {
    if (is_watched === this.#is_watched) return
    this.#is_watched = is_watched
    if (is_watched) {
      this.#last_pong_ms = Math.max(this.#last_pong_ms, performance.now() - (SILENT_MS - HALTED_MS))
      this.#ping()
    }
    this.#later()
  }

  pong(message: PongMessage): void {
    const now_ms = performance.now()
    this.#last_pong_ms = now_ms
    this.#clock.add(message.sent_ms, message.kernel_ms, now_ms)
    if (!this.#is_silent) return
    this.#is_silent = false
    this.#events.onHeard()
  }

  /** A frame has come by the same road. */
  frame(): void {
    this.#frames_ms = [this.#frames_ms[1], performance.now()]
  }

  #beat(): void {
    const now_ms = performance.now()
    // A page that was held up, or a machine that slept, has pongs that wait to be read.
    const late_ms = now_ms - this.#due_ms
    if (late_ms > PING_WATCHED_MS) {
      this.#last_pong_ms += late_ms
      this.#frames_ms[1] += late_ms
    }
    const silent_ms = now_ms - this.#last_pong_ms
    if (silent_ms > LOST_MS) {
      this.#events.onLost()
      return
    }
    const [before_ms, frame_ms] = this.#frames_ms
    const quiet_ms = Math.min(silent_ms, now_ms - frame_ms)
    const patience_ms = frame_ms - before_ms < FLOWING_MS ? HALTED_MS : SILENT_MS
    if (this.#is_watched && quiet_ms > patience_ms && !this.#is_silent) {
      this.#is_silent = true
      this.#events.onSilent()
    }
    if (this.#signal.aborted) return
    this.#ping()
    this.#later()
  }

  #ping(): void {
    this.#events.send({ type: "ping", sent_ms: performance.now() })
  }

  #later(): void {
    clearTimeout(this.#timer)
    if (this.#signal.aborted) return
    const wait_ms = this.#is_watched ? PING_WATCHED_MS : PING_EVERY_MS
    this.#due_ms = performance.now() + wait_ms
    this.#timer = setTimeout(() => this.#beat(), wait_ms)
  }
}
