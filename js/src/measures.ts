// What one view measures of its picture: for its status line, for `stats()` and for the kernel.
import type { Connection } from "./connection"
import { FrameTimes } from "./frame_times"
import type { Drawn, Surface } from "./painter/surface"
import type { PaintedMessage, StreamMessage } from "./protocol"
import { playedAt } from "./rtp"
import { PaintStats } from "./stats"

export type Figures = Record<string, number | string | null>

export class Measures {
  /** What the kernel last said of the stream that WebRTC brings. */
  stream: StreamMessage | null = null
  readonly #stats = new PaintStats(performance.now())
  readonly #times = new FrameTimes()
  readonly #connection: Connection
  readonly #surface: Surface
  #receive_ms: number | null = null

  constructor(connection: Connection, surface: Surface) {
    this.#connection = connection
    this.#surface = surface
  }

  get has_painted(): boolean {
    return this.#stats.painted > 0
  }

  /** Counts a drawn frame; its age from emission in the kernel to the end of drawing, null while that is not known. */
  add(drawn: Drawn): number | null {
    this.#times.add(drawn)
    const latency_ms = this.#latencyOf(drawn)
    this.#stats.paint(drawn.drawn_ms, latency_ms)
    return latency_ms
  }

  skip(count: number): void {
    this.#stats.skipped += count
  }

  /** What the status line shows. */
  shown(now_ms: number) {
    const { canvas, painter } = this.#surface
    return {
      rate_fps: this.#stats.rate(now_ms),
      latency_ms: this.#stats.latency(now_ms),
      width_px: this.has_painted ? canvas.width : 0,
      height_px: this.has_painted ? canvas.height : 0,
      painter,
    }
  }

  figures(): Figures {
    const { phase, problem, clock } = this.#connection
    return {
      ...this.shown(performance.now()),
      painted: this.#stats.painted,
      skipped: this.#stats.skipped,
      first_paint_ms: this.#stats.first_paint_ms,
      carrier: phase === "live" ? "WebRTC" : "",
      codec: this.stream?.codec ?? "",
      round_trip_ms: clock.round_trip_ms,
      phase,
      problem,
    }
  }

  /** What the kernel is told once a second. */
  report(): PaintedMessage {
    const now_ms = performance.now()
    const frames = this.#times.take(this.#connection.clock, this.#receive_ms)
    if (frames.length > 0) {
      // For the next report: asking the browser takes a while.
      void this.#connection.receiveDelay().then((receive_ms) => {
        this.#receive_ms = receive_ms
      })
    }
    return {
      type: "painted",
      painted: this.#stats.painted,
      skipped: this.#stats.skipped,
      latency_ms: this.#stats.latency(now_ms),
      rate_fps: this.#stats.rate(now_ms),
      painter: this.#surface.painter,
      frames,
    }
  }

  #latencyOf({ rtp_timestamp, drawn_ms }: Drawn): number | null {
    const kernel_ms = this.#connection.clock.kernelTime(drawn_ms)
    const origin = this.stream
    if (kernel_ms === null || rtp_timestamp === null || origin === null) return null
    const { rtp_origin, rtp_origin_kernel_ms } = origin
    if (rtp_origin === null || rtp_origin_kernel_ms === null) return null
    return (
      this.#connection.wait_ms + kernel_ms - playedAt(rtp_timestamp, { rtp_origin, rtp_origin_kernel_ms }, kernel_ms)
    )
  }
}
