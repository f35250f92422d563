// What a connection tells its view.
import type { Road } from "./calls"
import type { KernelToPage } from "./protocol"

/**
 * greeting: no hello yet · connecting: no carrier has proved to work · live: one has · waiting: until the next attempt,
 * where WebRTC is the only carrier · closed: for good.
 */
export type Phase = "greeting" | "connecting" | "live" | "waiting" | "closed"

export interface ConnectionEvents {
  onTrack(track: MediaStreamTrack, signal: AbortSignal): void
  /** What is not of the carriers; `road` is how it came. */
  onMessage(message: KernelToPage, road: Road): void
  /** Bytes of what the last `still` message announced. */
  onPiece(piece: ArrayBuffer, road: Road): void
  /** The phase, the problem or the rung changed. */
  onChange(): void
  /** Another road is the best now: what was not answered by the one before is to be sent again. */
  onRoad(): void
  /** WebRTC has ended; `is_all_anew`: the whole stream begins anew. */
  onLost(is_all_anew: boolean): void
  /** For good, or until it is started again. */
  onClosed(): void
}
