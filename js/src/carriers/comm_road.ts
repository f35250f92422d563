// What this view asks of the kernel by comm: to be carried or to stand by, said again where nothing is heard.
import type { KernelClock } from "../clock"
import type { PageToKernel, PongMessage } from "../protocol"
import { Pulse } from "./pulse"

/** Without a word for so long what was asked is said again, then after twice as long. */
const UNHEARD_MS = 2_000
const LONGEST_UNHEARD_MS = 16_000
const LOOK_EVERY_MS = 500
/** What was said takes its time to be followed. */
const SAID_MS = 1_000

export class CommRoad {
  /** The kernel has answered by comm since `stop`. */
  was_heard = false
  readonly #view_id: string
  readonly #tell: (message: PageToKernel) => boolean
  readonly #pulse: Pulse
  readonly #onUnheard: () => void
  #codecs: readonly string[] = []
  #is_wanted = false
  #said_ms = Number.NEGATIVE_INFINITY
  #heard_ms = 0
  #patience_ms = UNHEARD_MS
  #look: ReturnType<typeof setInterval> | undefined

  /** `onUnheard`: once more something was said again. */
  constructor(
    view_id: string,
    clock: KernelClock,
    tell: (message: PageToKernel) => boolean,
    onUnheard: () => void = () => undefined,
  ) {
    this.#view_id = view_id
    this.#tell = tell
    this.#onUnheard = onUnheard
    this.#pulse = new Pulse(clock, (ping) => void tell({ ...ping, view_id }))
  }

  /**
   * Asks for the picture, or to stand by; `is_anew` says it again even if it was said, as to another kernel.
   * `is_listening`: what is not heard is said again.
   */
  carry(codecs: readonly string[], is_wanted: boolean, is_listening: boolean, is_anew = false): void {
    const now_ms = performance.now()
    const is_said = is_wanted === this.#is_wanted && codecs.join() === this.#codecs.join()
    this.#codecs = codecs
    this.#is_wanted = is_wanted
    if (!is_said || is_anew) this.#say(now_ms)
    if (!is_listening) this.#rest()
    else if (this.#look === undefined) {
      this.#heard_ms = now_ms
      this.#patience_ms = UNHEARD_MS
      this.#pulse.start()
      this.#look = setInterval(() => this.#lookAgain(), LOOK_EVERY_MS)
    }
  }

  /** A packet for this view has come. */
  heard(): void {
    const now_ms = performance.now()
    this.#listened(now_ms)
    // The kernel stands in for a channel on which it hears nothing; here it is not needed.
    if (!this.#is_wanted && now_ms - this.#said_ms > SAID_MS) this.#say(now_ms)
  }

  pong(message: PongMessage): void {
    this.#listened(performance.now())
    this.#pulse.pong(message)
  }

  /** Asks for a word, as where an answer is awaited. */
  ask(): void {
    this.#pulse.ask()
  }

  /** For how long the kernel has not answered what it was asked. */
  unanswered_ms(now_ms: number): number {
    return this.#pulse.unanswered_ms(now_ms)
  }

  /** For how long nothing at all was heard of what was asked for; 0 where nothing was. */
  unheard_ms(now_ms: number): number {
    return this.#look === undefined ? 0 : now_ms - this.#heard_ms
  }

  /** Asks nothing more, and tells nobody. It may be started again by `carry`. */
  stop(): void {
    this.#rest()
    this.was_heard = false
    this.#codecs = []
    this.#is_wanted = false
  }

  #listened(now_ms: number): void {
    this.was_heard = true
    this.#heard_ms = now_ms
    this.#patience_ms = UNHEARD_MS
  }

  #rest(): void {
    clearInterval(this.#look)
    this.#look = undefined
    this.#pulse.stop()
  }

  #lookAgain(): void {
    const now_ms = performance.now()
    const since_ms = now_ms - Math.max(this.#heard_ms, this.#said_ms)
    if (since_ms < this.#patience_ms) return
    this.#patience_ms = Math.min(this.#patience_ms * 2, LONGEST_UNHEARD_MS)
    this.#say(now_ms)
    this.#onUnheard()
  }

  #say(now_ms: number): void {
    this.#said_ms = now_ms
    this.#tell({ type: "carry", view_id: this.#view_id, codecs: [...this.#codecs], is_watching: this.#is_wanted })
  }
}
