// Reads decoded frames straight from the track (Chromium), sooner than a <video> element shows them.
import { framesOf, type RemoteFrame } from "./frames"
import { Relief } from "./relief"
import type { Arrival, Surface } from "./surface"

/** Paints until the track or `signal` ends. The newest frame wins when drawing falls behind. */
export async function paintTrack(track: MediaStreamTrack, surface: Surface, signal: AbortSignal): Promise<void> {
  const reader = framesOf(track).getReader()
  const relief = new Relief(track, surface, signal)
  const stop = () => void reader.cancel().catch(() => undefined)
  if (signal.aborted) stop()
  else signal.addEventListener("abort", stop, { once: true })
  for (;;) {
    const { value: frame, done } = await reader.read()
    if (done) return
    const decoded_ms = performance.now()
    try {
      if (signal.aborted) continue
      const arrival = arrivalOf(frame, decoded_ms)
      surface.draw(frame, frame.displayWidth, frame.displayHeight, arrival)
      relief.seen(arrival.rtp_timestamp, frame.displayWidth, frame.displayHeight)
    } finally {
      // An unclosed frame holds a buffer of the decoder; after a few the picture stops.
      frame.close()
    }
  }
}

function arrivalOf(frame: RemoteFrame, decoded_ms: number): Arrival {
  const metadata = frame.metadata?.()
  return { rtp_timestamp: metadata?.rtpTimestamp ?? null, received_ms: metadata?.receiveTime ?? null, decoded_ms }
}
