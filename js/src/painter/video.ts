// Reads frames through a hidden <video> element, where a track cannot be read directly (Firefox, Safari).
import type { Surface } from "./surface"

// TypeScript's DOM library lacks the fields that only remote tracks have.
interface RemoteFrameMetadata extends VideoFrameCallbackMetadata {
  rtpTimestamp?: number
  receiveTime?: DOMHighResTimeStamp
}

/** Paints until `signal` ends. */
export function paintVideo(track: MediaStreamTrack, surface: Surface, signal: AbortSignal): void {
  if (signal.aborted) return
  const video = document.createElement("video")
  video.muted = true
  video.playsInline = true
  video.srcObject = new MediaStream([track])
  let presented = 0
  let handle = 0
  const paint = (_now: number, metadata: RemoteFrameMetadata) => {
    // Before drawing: the next callback must not depend on this frame.
    handle = video.requestVideoFrameCallback(paint)
    if (presented > 0) surface.skip(metadata.presentedFrames - presented - 1)
    presented = metadata.presentedFrames
    const { width, height, rtpTimestamp = null, receiveTime = null } = metadata
    surface.draw(video, width, height, {
      carrier: "webrtc",
      painter: "video",
      rtp_timestamp: rtpTimestamp,
      received_ms: receiveTime,
      decoded_ms: performance.now(),
    })
  }
  handle = video.requestVideoFrameCallback(paint)
  signal.addEventListener(
    "abort",
    () => {
      video.cancelVideoFrameCallback(handle)
      video.pause()
      video.srcObject = null
    },
    { once: true },
  )
  // A muted video may always play; if it may not yet (a page in the background), it does when it is seen.
  const play = () => void video.play().catch((cause) => console.debug("[reactor_nb] the video waits to play:", cause))
  play()
  document.addEventListener("visibilitychange", play, { signal })
}
