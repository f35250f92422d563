// Reading decoded frames from a track, as Chromium can. TypeScript's DOM library lacks it: it is in no finished standard.

declare const MediaStreamTrackProcessor: new (init: {
  track: MediaStreamTrack
  maxBufferSize?: number
}) => { readonly readable: ReadableStream<VideoFrame> }

export type RemoteFrame = VideoFrame & { metadata?(): { rtpTimestamp?: number; receiveTime?: number } }

export function canReadTracks(): boolean {
  return typeof MediaStreamTrackProcessor !== "undefined" && typeof VideoFrame !== "undefined"
}

/** Where reading falls behind, the newest frame is kept and the others are dropped. */
export function framesOf(track: MediaStreamTrack): ReadableStream<VideoFrame> {
  return new MediaStreamTrackProcessor({ track, maxBufferSize: 1 }).readable
}
