// Picks the quickest way from a track to the canvas that this browser has.
import { canReadTracks } from "./frames"
import type { Surface } from "./surface"
import { paintTrack } from "./track"
import { paintVideo } from "./video"

/** Paints until `signal` ends. */
export function paint(track: MediaStreamTrack, surface: Surface, signal: AbortSignal): void {
  if (!canReadTracks()) {
    paintVideo(track, surface, signal)
    return
  }
  paintTrack(track, surface, signal).catch((cause) => {
    if (signal.aborted) return
    console.warn("[reactor_nb] the track cannot be read directly; a video element takes over:", cause)
    paintVideo(track, surface, signal)
  })
}
