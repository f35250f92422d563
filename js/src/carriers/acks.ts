// Tells the kernel what has been heard of its packets: few words, as each costs the page's main thread, and none late.

/** At the latest so long after a packet. */
const LATEST_MS = 250

/** Acknowledges packets, cumulatively: one word for all up to it. Ends with `close()`. */
export class Acks {
  readonly #send: (sequence: number) => void
  #newest = -1
  #unacked = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(send: (sequence: number) => void) {
    this.#send = send
  }

  /** A packet was taken; `ack_every` says after how many at most the kernel wants to know. */
  add(sequence: number, ack_every: number): void {
    this.#newest = sequence
    this.#unacked += 1
    if (this.#unacked >= ack_every) this.#say()
    else this.#timer ??= setTimeout(() => this.#say(), LATEST_MS)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#unacked = 0
  }

  #say(): void {
    this.close()
    this.#send(this.#newest)
  }
}
