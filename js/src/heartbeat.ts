// Pings over the data channel: they keep the kernel's peer alive, feed the clock, and notice a lost connection.
import type { KernelClock } from "./clock"
import type { PingMessage, PongMessage } from "./protocol"

export const PING_EVERY_MS = 2000
export const SILENCE_MS = 6000
/** The first pings come quickly: one round trip alone is a poor estimate of the kernel's clock. */
const FIRST_PINGS_MS = [50, 150, 300, 600]

/** Beats until `signal` ends. Calls `onSilent` once if no pong came for `SILENCE_MS`. */
export class Heartbeat {
  #last_pong_ms: number

  constructor(
    readonly clock: KernelClock,
    send: (ping: PingMessage) => void,
    onSilent: () => void,
    signal: AbortSignal,
  ) {
    this.#last_pong_ms = performance.now()
    const ping = () => send({ type: "ping", sent_ms: performance.now() })
    ping()
    const first = FIRST_PINGS_MS.map((wait_ms) => setTimeout(ping, wait_ms))
    const every = setInterval(() => {
      if (performance.now() - this.#last_pong_ms > SILENCE_MS) {
        clearInterval(every)
        onSilent()
      } else ping()
    }, PING_EVERY_MS)
    const end = () => {
      first.forEach(clearTimeout)
      clearInterval(every)
    }
    if (signal.aborted) end()
    else signal.addEventListener("abort", end, { once: true })
  }

  pong(message: PongMessage): void {
    const now_ms = performance.now()
    this.#last_pong_ms = now_ms
    this.clock.add(message.sent_ms, message.kernel_ms, now_ms)
  }
}
