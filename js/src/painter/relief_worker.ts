// The Worker's side. `relieve` is sent as its own source text, so it uses nothing from outside of itself.
import type { RemoteFrame } from "./frames"

/** To the Worker, first: where to draw, and the frames. */
export interface ReliefStart {
  canvas: OffscreenCanvas
  frames: ReadableStream<VideoFrame>
}

/** To the Worker: the main thread has had this frame; of its coded size, so much is the picture. */
export interface ReliefSeen {
  rtp_timestamp: number
  width: number
  height: number
  coded_width: number
  coded_height: number
}

/** From the Worker, after each halt: the frames that only it has drawn. Times since 1970. */
export interface ReliefReport {
  drawn: { rtp_timestamp: number; decoded_ms: number; drawn_ms: number }[]
  /** Drawing took so long that it must have waited for the main thread. */
  is_late: boolean
}

/** What the function needs of a DedicatedWorkerGlobalScope. */
export interface ReliefScope {
  onmessage: ((event: MessageEvent<ReliefStart | ReliefSeen>) => void) | null
  postMessage(report: ReliefReport): void
  close(): void
}

/**
 * Draws what the main thread does not.
 *
 * Each frame waits for the main thread to have it as well. The first that waits too long is drawn here, and so are those
 * after it, at once, until the main thread has caught up; then this canvas is cleared, so that the page's own is seen.
 */
export function relieve(scope: ReliefScope): void {
  const PATIENCE_MS = 25
  /** The page's canvas is on the screen by then. */
  const CLEAR_MS = 30
  const LATE_MS = 80
  let canvas: OffscreenCanvas | null = null
  let context: OffscreenCanvasRenderingContext2D | null = null
  let real: ReliefSeen | null = null
  let waiting: { frame: VideoFrame; rtp_timestamp: number; decoded_ms: number } | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let clearing: ReturnType<typeof setTimeout> | undefined
  let is_primed = false
  let is_held_up = false
  let newest_drawn: number | null = null
  let drawn: ReliefReport["drawn"] = []

  const now = () => performance.timeOrigin + performance.now()
  /** Timestamps are 32 bits and wrap. */
  const isNewer = (one: number, other: number) => ((one - other) | 0) > 0

  const drop = () => {
    clearTimeout(timer)
    timer = undefined
    waiting?.frame.close()
    waiting = null
  }
  const report = (is_late: boolean) => {
    scope.postMessage({ drawn, is_late })
    drawn = []
  }
  const clear = () => {
    if (canvas !== null) context?.clearRect(0, 0, canvas.width, canvas.height)
    newest_drawn = null
    report(false)
  }
  const draw = () => {
    timer = undefined
    if (waiting === null || canvas === null || context === null) return
    const { frame, rtp_timestamp, decoded_ms } = waiting
    const is_known = real?.coded_width === frame.displayWidth && real.coded_height === frame.displayHeight
    const width = is_known && real !== null ? real.width : frame.displayWidth
    const height = is_known && real !== null ? real.height : frame.displayHeight
    const began_ms = now()
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width
      canvas.height = height
    }
    context.drawImage(frame, 0, 0, width, height, 0, 0, width, height)
    drop()
    const drawn_ms = now()
    is_held_up = true
    newest_drawn = rtp_timestamp
    clearTimeout(clearing)
    drawn.push({ rtp_timestamp, decoded_ms, drawn_ms })
    if (drawn_ms - began_ms > LATE_MS) report(true)
  }
  const seen = (message: ReliefSeen) => {
    real = message
    const { rtp_timestamp } = message
    drawn = drawn.filter((frame) => frame.rtp_timestamp !== rtp_timestamp)
    if (waiting !== null && !isNewer(waiting.rtp_timestamp, rtp_timestamp)) drop()
    if (newest_drawn === null || isNewer(newest_drawn, rtp_timestamp) || !is_held_up) return
    is_held_up = false
    clearing = setTimeout(clear, CLEAR_MS)
  }
  /** A Worker's first drawing waits for the main thread, which lends it the GPU: not in the middle of a halt. */
  const prime = (frame: VideoFrame) => {
    if (canvas === null || context === null || is_primed) return
    is_primed = true
    canvas.width = frame.displayWidth
    canvas.height = frame.displayHeight
    context.drawImage(frame, 0, 0)
    context.clearRect(0, 0, canvas.width, canvas.height)
  }
  const read = async (frames: ReadableStream<VideoFrame>) => {
    const reader = frames.getReader()
    for (;;) {
      const { value: frame, done } = await reader.read()
      if (done) break
      prime(frame)
      const rtp_timestamp = (frame as RemoteFrame).metadata?.().rtpTimestamp
      if (rtp_timestamp === undefined || (real !== null && !isNewer(rtp_timestamp, real.rtp_timestamp))) {
        frame.close()
        continue
      }
      waiting?.frame.close()
      waiting = { frame, rtp_timestamp, decoded_ms: now() }
      if (is_held_up) draw()
      else timer ??= setTimeout(draw, PATIENCE_MS)
    }
    drop()
    scope.close()
  }
  scope.onmessage = ({ data }) => {
    if ("canvas" in data) {
      canvas = data.canvas
      context = canvas.getContext("2d")
      void read(data.frames)
    } else seen(data)
  }
}
