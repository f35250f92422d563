// Where a frame stands on the stream's own timeline, whichever carrier brought it: no older one may follow a newer one.
import { playedAt } from "../rtp"

/** How a frame came: by WebRTC, or in packets over the notebook's own connection. */
export type CarrierKind = "webrtc" | "comm"

/** What tells of a WebRTC track's timestamps, as the `stream` message does; null where they cannot be known. */
export interface Origin {
  rtp_origin: number | null
  rtp_origin_kernel_ms: number
}

export interface Place {
  /** The stream's own RTP timestamp, the same by both carriers; null where that is not known. */
  stamp: number | null
  /** When the clock played it, in the kernel's monotonic milliseconds; null where that is not known. */
  shown_kernel_ms: number | null
}

export type Order = "newer" | "same" | "older"

/** Between two frames lies more, and between two roundings of one frame's time less. */
const SAME_MS = 2
/** After so long without any drawn frame even an older one is better: the kernel's clock may be another one. */
const PATIENCE_MS = 2000
/** A frame of unknown time waits so long for the other carrier to have ended. */
const OTHER_ENDED_MS = 250

export class Timeline {
  /** Of the track that WebRTC brings now. */
  origin: Origin | null = null
  #newest_ms: number | null = null
  #newest_carrier: CarrierKind | null = null
  #drawn_ms = Number.NEGATIVE_INFINITY

  /** The place of a frame of a track, from its RTP timestamp. */
  ofTrack(rtp_timestamp: number | null): Place {
    const origin = this.origin
    if (rtp_timestamp === null || origin === null || origin.rtp_origin === null)
      return { stamp: null, shown_kernel_ms: null }
    const { rtp_origin, rtp_origin_kernel_ms } = origin
    const stamp = (rtp_timestamp - rtp_origin) >>> 0
    const near_ms = this.#newest_ms ?? rtp_origin_kernel_ms + stamp / 90
    return { stamp, shown_kernel_ms: playedAt(rtp_timestamp, { rtp_origin, rtp_origin_kernel_ms }, near_ms) }
  }

  /** How a frame compares with the newest that was drawn. `now_ms` by `performance.now()`. */
  order({ shown_kernel_ms }: Place, carrier: CarrierKind, now_ms: number): Order {
    const newest_ms = this.#newest_ms
    const is_other = this.#newest_carrier !== null && this.#newest_carrier !== carrier
    const rested_ms = now_ms - this.#drawn_ms
    if (newest_ms === null || rested_ms > PATIENCE_MS) return "newer"
    if (shown_kernel_ms === null) return is_other && rested_ms < OTHER_ENDED_MS ? "older" : "newer"
    const lead_ms = shown_kernel_ms - newest_ms
    // A carrier that sends the same frame again means it: a canvas that was lost, a picture made sharper.
    if (Math.abs(lead_ms) <= SAME_MS) return is_other ? "same" : "newer"
    return lead_ms > 0 ? "newer" : "older"
  }

  drawn({ shown_kernel_ms }: Place, carrier: CarrierKind, now_ms: number): void {
    if (shown_kernel_ms !== null) this.#newest_ms = shown_kernel_ms
    this.#newest_carrier = carrier
    this.#drawn_ms = now_ms
  }

  /** Another kernel, or another media process, may be behind what comes now. */
  reset(): void {
    this.origin = null
    this.#newest_ms = null
    this.#newest_carrier = null
  }
}
