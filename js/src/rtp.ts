// RTP timestamps: 32 bits that wrap after 13 h 15 min, 90 000 to the second.

const TICKS_PER_MS = 90
const WRAP_MS = 2 ** 32 / TICKS_PER_MS

export interface RtpOrigin {
  rtp_origin: number
  rtp_origin_kernel_ms: number
}

/**
 * When the clock played the frame with this timestamp, on the kernel's clock.
 *
 * Of all times that the wrapped timestamp may stand for, the nearest to `kernel_now_ms` is meant. So no state has to
 * follow the stream, and a page that joins a stream of two days is right at its first frame.
 */
export function playedAt(rtp_timestamp: number, origin: RtpOrigin, kernel_now_ms: number): number {
  const since_origin_ms = ((rtp_timestamp - origin.rtp_origin) >>> 0) / TICKS_PER_MS
  const first_ms = origin.rtp_origin_kernel_ms + since_origin_ms
  return first_ms + Math.round((kernel_now_ms - first_ms) / WRAP_MS) * WRAP_MS
}
