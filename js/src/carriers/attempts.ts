// When WebRTC is tried, and by which servers: without relays first, as their secrets go to no page that needs none.
import type { Ladder } from "../ladder"
import type { HelloMessage } from "../protocol"

/** So long the kernel may take to name its relays; then an attempt is made without. */
const RELAYS_MS = 5_000

export interface AttemptEvents {
  /** The kernel is to be asked for its relays; its answer goes to `connect`. */
  askServers(): void
  /** An attempt begins; should it fail, one by a relay may follow at once. */
  connect(ice_servers: RTCIceServer[], has_relay_behind: boolean): void
  /** Nothing is asked of the kernel without its greeting: where WebRTC is the only carrier, it begins with that. */
  greet(): void
}

export class Attempts {
  hello: HelloMessage | null = null
  readonly #events: AttemptEvents
  #timer: ReturnType<typeof setTimeout> | undefined
  #relays_timer: ReturnType<typeof setTimeout> | undefined

  constructor(events: AttemptEvents) {
    this.#events = events
  }

  get has_relay(): boolean {
    return this.hello?.has_relay === true
  }

  /** Looks whether an attempt is due, or comes back when it is. */
  follow(ladder: Ladder): void {
    clearTimeout(this.#timer)
    if (ladder.webrtc !== "waiting") return
    const wait_ms = ladder.next_ms - performance.now()
    if (wait_ms <= 0 && ladder.has_comm) this.begin(ladder)
    else this.#timer = setTimeout(() => (ladder.has_comm ? this.follow(ladder) : this.#events.greet()), wait_ms)
  }

  /** An attempt is due: by relays, whose secrets the kernel is asked for, once one without has failed. */
  begin(ladder: Ladder): void {
    if (!ladder.wants_relay || !this.has_relay) {
      this.connect(ladder)
      return
    }
    ladder.attempted()
    this.#relays_timer = setTimeout(() => this.connect(ladder), RELAYS_MS)
    this.#events.askServers()
  }

  /** The kernel has named its relays: late, where a cell kept it. Then a peer that works meanwhile is left alone. */
  named(ladder: Ladder, ice_servers: RTCIceServer[]): void {
    if (ladder.webrtc === "trying" || ladder.webrtc === "waiting") this.connect(ladder, ice_servers)
  }

  /** Begins one now; by the relays, where these are the kernel's answer. */
  connect(ladder: Ladder, ice_servers = this.hello?.ice_servers ?? []): void {
    this.close()
    ladder.attempted()
    this.#events.connect(ice_servers, ladder.has_comm && this.has_relay)
  }

  close(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#relays_timer)
  }
}
