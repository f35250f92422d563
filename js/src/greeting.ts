// Says "ready" until the kernel answers: a message that is sent before the widget's front end is up would be lost.
import { Backoff } from "./backoff"

const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 8_000

export class Greeting {
  /** How often it was said without an answer. */
  count = 0
  readonly #say: () => boolean
  readonly #onSaidAgain: () => void
  readonly #again: () => void
  readonly #retry = new Backoff(FIRST_RETRY_MS, LONGEST_RETRY_MS)
  #timer: ReturnType<typeof setTimeout> | undefined

  /**
   * `say` returns false where no kernel can hear it; then it is not said again. `again` is called when it was not
   * answered for a while, and is to call `start`.
   */
  constructor(say: () => boolean, onSaidAgain: () => void, again: () => void) {
    this.#say = say
    this.#onSaidAgain = onSaidAgain
    this.#again = again
  }

  /** Says it, and again after 0.5 s, 1 s and so on, or when the last pause before was over; false: nobody can hear. */
  start(): boolean {
    this.stop()
    if (!this.#say()) return false
    this.count += 1
    if (this.count > 1) this.#onSaidAgain()
    this.#timer = setTimeout(this.#again, this.#retry.next())
    return true
  }

  /** An answer came; it may be started again, and then waits as long as before. */
  stop(): void {
    clearTimeout(this.#timer)
  }

  /** The kernel has proved to hear. */
  reset(): void {
    this.count = 0
    this.#retry.reset()
  }
}
