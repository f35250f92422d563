// Pings by comm: whether the kernel hears this page, and what time it is there. Few, as the kernel's shell answers each.
import type { KernelClock } from "../clock"
import type { PingMessage, PongMessage } from "../protocol"

const EVERY_MS = 2000
/** The first come quickly: one round trip alone is a poor estimate of the kernel's clock. */
const FIRST_MS = [150, 400, 900]
/** A ping that is not answered waits in the shell of a busy kernel, where others would wait behind it. */
const FORGOTTEN_MS = 20_000

export class Pulse {
  readonly #clock: KernelClock
  readonly #send: (ping: PingMessage) => void
  /** When the pings were sent that were not answered yet; a pong answers all before it. */
  #sent_ms: number[] = []
  #timers: ReturnType<typeof setTimeout>[] = []
  #every: ReturnType<typeof setInterval> | undefined

  constructor(clock: KernelClock, send: (ping: PingMessage) => void) {
    this.#clock = clock
    this.#send = send
  }

  get is_beating(): boolean {
    return this.#every !== undefined
  }

  /** Beats until `stop()`. */
  start(): void {
    if (this.is_beating) return
    this.ask()
    this.#timers = FIRST_MS.map((wait_ms) => setTimeout(() => this.ask(), wait_ms))
    this.#every = setInterval(() => this.ask(), EVERY_MS)
  }

  stop(): void {
    this.#timers.forEach(clearTimeout)
    clearInterval(this.#every)
    this.#every = undefined
    this.#sent_ms = []
  }

  /** Pings now, unless an answer is awaited already. */
  ask(): void {
    const now_ms = performance.now()
    const newest_ms = this.#sent_ms.at(-1)
    if (newest_ms !== undefined && now_ms - newest_ms < FORGOTTEN_MS) return
    this.#sent_ms.push(now_ms)
    this.#send({ type: "ping", sent_ms: now_ms })
  }

  pong({ sent_ms, kernel_ms }: PongMessage): void {
    this.#sent_ms = this.#sent_ms.filter((at_ms) => at_ms > sent_ms)
    this.#clock.add(sent_ms, kernel_ms, performance.now())
  }

  /** For how long the kernel has not answered what it was asked; 0 where it was asked nothing. */
  unanswered_ms(now_ms: number): number {
    return now_ms - (this.#sent_ms[0] ?? now_ms)
  }
}
