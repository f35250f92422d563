// Reads decoded frames straight from the track (Chromium), sooner than a <video> element shows them.
import { framesOf, type RemoteFrame } from "./frames"
import { Relief } from "./relief"
import type { Arrival, Painter, Surface } from "./surface"

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
    if (signal.aborted) {
      // An unclosed frame holds a buffer of the decoder; after a few the picture stops.
      frame.close()
      continue
    }
    const arrival = arrivalOf(frame, relief.painter)
    const { displayWidth, displayHeight } = frame
    surface.draw(frame, displayWidth, displayHeight, arrival)
    relief.seen(arrival.rtp_timestamp, displayWidth, displayHeight)
  }
}

function arrivalOf(frame: RemoteFrame, painter: Painter): Arrival {
  const metadata = frame.metadata?.()
  return {
    carrier: "webrtc",
    painter,
    rtp_timestamp: metadata?.rtpTimestamp ?? null,
    received_ms: metadata?.receiveTime ?? null,
    decoded_ms: performance.now(),
  }
}
