// Picks the quickest way from a track to the canvas that this browser has.
import { canReadTracks } from "./frames"
import type { Surface } from "./surface"
import { paintTrack } from "./track"
import { paintVideo } from "./video"

/** Paints until `signal` ends; `surface.painter` says how. */
export function paint(track: MediaStreamTrack, surface: Surface, signal: AbortSignal): void {
  if (!canReadTracks()) {
    surface.painter = "video"
    paintVideo(track, surface, signal)
    return
  }
  surface.painter = "track"
  paintTrack(track, surface, signal).catch((cause) => {
    if (signal.aborted) return
    console.warn("[reactor_nb] the track cannot be read directly; a video element takes over:", cause)
    surface.painter = "video"
    paintVideo(track, surface, signal)
  })
}
