// What one view measures of its picture: for its status line, for `stats()` and for the kernel.
import type { Connection } from "./connection"
import { FrameTimes } from "./frame_times"
import { RUNG_NAMES, RUNGS } from "./ladder"
import type { Drawn, Surface } from "./painter/surface"
import type { PaintedMessage, StreamMessage } from "./protocol"
import { PaintStats } from "./stats"

export interface Figures {
  [name: string]: number | string | null | Record<string, string>
}

export class Measures {
  /** What the kernel last said of the stream that WebRTC brings. */
  stream: StreamMessage | null = null
  readonly #stats = new PaintStats(performance.now())
  readonly #times = new FrameTimes()
  readonly #connection: Connection
  readonly #surface: Surface
  #receive_ms: number | null = null
  #track_bytes = 0
  #path = ""
  #codec = ""
  #told = ""

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
    if (drawn.codec !== undefined) this.#codec = drawn.codec
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

  /** The name of the rung that brings the picture; "" while none does. */
  get rung(): string {
    const { phase, ladder } = this.#connection
    return phase === "live" && ladder.rung !== null ? RUNG_NAMES[ladder.rung] : ""
  }

  /** Why each rung is not the one that brings the picture, by its name; "" for the one that does. */
  get rungs(): Record<string, string> {
    const reasons = this.#connection.ladder.reasons()
    return Object.fromEntries(RUNGS.map((rung) => [RUNG_NAMES[rung], reasons[rung]]))
  }

  get codec(): string {
    return (this.#connection.ladder.rung === "webrtc" ? this.stream?.codec : this.#codec) ?? ""
  }

  /** More on the rung in use, for a person. */
  get detail(): string {
    const is_track = this.#connection.ladder.rung === "webrtc"
    const words = is_track ? [this.codec, this.#path, this.#surface.painter] : [this.codec]
    return words.filter(Boolean).join(" · ")
  }

  figures(): Figures {
    const { phase, problem, clock, packet_bytes } = this.#connection
    return {
      ...this.shown(performance.now()),
      painted: this.#stats.painted,
      skipped: this.#stats.skipped,
      first_paint_ms: this.#stats.first_paint_ms,
      carrier: this.rung,
      rungs: this.rungs,
      codec: this.codec,
      bytes: packet_bytes + this.#track_bytes,
      path: this.#connection.ladder.rung === "webrtc" ? this.#path : "",
      round_trip_ms: clock.round_trip_ms,
      phase,
      problem,
    }
  }

  /** What the kernel is told once a second; null where nothing has changed since. */
  report(): PaintedMessage | null {
    const now_ms = performance.now()
    const frames = this.#times.take(this.#connection.clock, this.#receive_ms)
    const rungs = this.rungs
    const news = JSON.stringify([this.#stats.painted, this.#stats.skipped, rungs])
    const is_news = news !== this.#told
    this.#told = news
    void this.#askTrack()
    if (!is_news) return null
    return {
      type: "painted",
      painted: this.#stats.painted,
      skipped: this.#stats.skipped,
      latency_ms: this.#stats.latency(now_ms),
      rate_fps: this.#stats.rate(now_ms),
      painter: this.#surface.painter,
      frames,
      carrier: this.#connection.ladder.rung === "webrtc" ? "webrtc" : "comm",
      rungs,
    }
  }

  /** For the next report: asking the browser takes a while. */
  async #askTrack(): Promise<void> {
    const received = await this.#connection.received()
    this.#receive_ms = received?.delay_ms ?? null
    if (received === null) return
    this.#track_bytes = received.bytes
    this.#path = received.path
  }

  #latencyOf({ place, drawn_ms, rtp_timestamp }: Drawn): number | null {
    const kernel_ms = this.#connection.clock.kernelTime(drawn_ms)
    if (kernel_ms === null || rtp_timestamp === null || place.shown_kernel_ms === null) return null
    return this.#connection.wait_ms + kernel_ms - place.shown_kernel_ms
  }
}
