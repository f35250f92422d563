// While the page's main thread is held up, a Worker draws: on a canvas of its own over the one of the page.
import { element } from "../dom"
import { framesOf } from "./frames"
import { type ReliefReport, type ReliefSeen, relieve } from "./relief_worker"
import type { Arrival, Painter, Surface } from "./surface"

/** A task of the main thread this long, three frames of 30 fps, is seen as a halt. */
const HALT_MS = 100
/** Without another halt for so long the Worker goes. */
const QUIET_MS = 30_000

/** Whether a Worker can draw while the main thread cannot; null until it was tried. */
let is_useful: boolean | null = null

/**
 * Starts with the first halt of the main thread that the browser reports, and ends with `signal` or when there was none
 * for a while: a page that is quick pays nothing.
 */
export class Relief {
  readonly #track: MediaStreamTrack
  readonly #surface: Surface
  #end: AbortController | null = null
  #worker: Worker | null = null
  #last_halt_ms = 0

  constructor(track: MediaStreamTrack, surface: Surface, signal: AbortSignal) {
    this.#track = track
    this.#surface = surface
    if (signal.aborted || is_useful === false || !canTell()) return
    const observer = new PerformanceObserver((tasks) => {
      if (tasks.getEntries().some(({ duration }) => duration >= HALT_MS)) this.#start()
    })
    observer.observe({ type: "longtask" })
    const end = () => {
      observer.disconnect()
      this.#stop()
    }
    signal.addEventListener("abort", end, { once: true })
  }

  get painter(): Painter {
    return this.#worker === null ? "track" : "track + worker"
  }

  /** The main thread has had this frame: it is not held up. */
  seen(rtp_timestamp: number | null, coded_width: number, coded_height: number): void {
    if (this.#worker === null || rtp_timestamp === null) return
    if (performance.now() - this.#last_halt_ms > QUIET_MS) {
      this.#stop()
      return
    }
    const { width, height } = this.#surface.canvas
    const seen: ReliefSeen = { rtp_timestamp, width, height, coded_width, coded_height }
    this.#worker.postMessage(seen)
  }

  #start(): void {
    this.#last_halt_ms = performance.now()
    if (this.#worker !== null || !this.#surface.is_visible) return
    is_useful ??= hasGpu()
    if (!is_useful) return
    const end = new AbortController()
    const canvas = element("canvas", "reactor-canvas reactor-relief", { "aria-hidden": "true" })
    const track = this.#track.clone()
    end.signal.addEventListener("abort", () => {
      canvas.remove()
      track.stop()
      this.#worker?.terminate()
      this.#worker = null
    })
    this.#end = end
    try {
      const source = URL.createObjectURL(new Blob([`(${relieve})(self)`], { type: "text/javascript" }))
      const worker = new Worker(source, { name: "reactor_nb relief" })
      URL.revokeObjectURL(source)
      this.#worker = worker
      worker.addEventListener("message", ({ data }: MessageEvent<ReliefReport>) => this.#report(data))
      worker.addEventListener("error", (event) => this.#giveUp(event.message))
      const surface = canvas.transferControlToOffscreen()
      const frames = framesOf(track)
      worker.postMessage({ canvas: surface, frames }, [surface, frames])
      this.#surface.canvas.after(canvas)
    } catch (cause) {
      this.#giveUp(cause)
    }
  }

  #report(report: ReliefReport): void {
    if (report.is_late) this.#giveUp("it has to wait for the page")
    for (const { rtp_timestamp, decoded_ms, drawn_ms } of report.drawn) {
      const arrival: Arrival = {
        carrier: "webrtc",
        painter: this.painter,
        rtp_timestamp,
        received_ms: null,
        decoded_ms: decoded_ms - performance.timeOrigin,
      }
      this.#surface.relieved(arrival, drawn_ms - performance.timeOrigin)
    }
  }

  #giveUp(cause: unknown): void {
    is_useful = false
    console.debug("[reactor_nb] no Worker paints while the page is held up:", cause)
    this.#stop()
  }

  #stop(): void {
    this.#end?.abort()
    this.#end = null
  }
}

/** Without a GPU each drawing of a Worker waits for the main thread: it would come when it is no longer needed. */
function hasGpu(): boolean {
  const context = document.createElement("canvas").getContext("webgl2")
  const renderer = context?.getParameter(
    context.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL ?? 0,
  )
  context?.getExtension("WEBGL_lose_context")?.loseContext()
  return typeof renderer === "string" && !/swiftshader|llvmpipe|software|basic render/i.test(renderer)
}

function canTell(): boolean {
  return (
    typeof Worker !== "undefined" &&
    "transferControlToOffscreen" in HTMLCanvasElement.prototype &&
    PerformanceObserver.supportedEntryTypes.includes("longtask")
  )
}
