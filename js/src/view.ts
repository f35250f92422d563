// One rendering of a viewer in a page. Everything that it starts ends with its signal.
import { Calls, randomId } from "./calls"
import { Connection } from "./connection"
import { element } from "./dom"
import { lastLine } from "./format"
import { FrameTimes } from "./frame_times"
import { keepKeys } from "./keys"
import { isRunning, type ModelPort, onModel } from "./model"
import { Overlay, overlayText } from "./overlay"
import { paint } from "./painter/paint"
import { type Drawn, Surface, TINY_PX } from "./painter/surface"
import { ErrorPanel } from "./panels/error"
import { LogPanel } from "./panels/log"
import { isMessage, type PeerMaker } from "./peer"
import * as problems from "./problems"
import type { CallMessage, KernelToPage, StreamMessage } from "./protocol"
import { ResizeHandle } from "./resize"
import { playedAt } from "./rtp"
import { followSight } from "./sight"
import { PaintStats } from "./stats"
import { StatusLine } from "./status"
import { Toolbar } from "./toolbar"

/** The status line is read by people: more often than this is flicker. */
const STATUS_MS = 500
const REPORT_MS = 1000

export interface PaintedFrame {
  rtp_timestamp: number | null
  drawn_ms: number
  latency_ms: number | null
}

/** The root element's `reactor` property: for pages of one's own, tests and measurements. */
export interface ReactorHandle {
  call(name: string, params?: Record<string, unknown>): Promise<unknown>
  stats(): Record<string, number | string | null>
  canvas: HTMLCanvasElement
  onframe: ((frame: PaintedFrame) => void) | null
  onmessage: ((data: unknown) => void) | null
}

export class View {
  readonly root: HTMLElement & { reactor?: ReactorHandle }
  readonly reactor: ReactorHandle
  readonly view_id = randomId()
  readonly #model: ModelPort
  readonly #signal: AbortSignal
  readonly #canvas = element("canvas", "reactor-canvas", { role: "img" })
  readonly #stats = new PaintStats(performance.now())
  readonly #times = new FrameTimes()
  readonly #surface: Surface
  readonly #connection: Connection
  readonly #calls: Calls
  readonly #status = new StatusLine()
  readonly #errors = new ErrorPanel()
  readonly #overlay: Overlay
  readonly #toolbar: Toolbar
  readonly #resize: ResizeHandle
  readonly #log: LogPanel
  #stream: StreamMessage | null = null
  #painted_session: number | null = null
  #loading_seen_ms = 0
  #receive_ms: number | null = null

  constructor(model: ModelPort, makePeer: PeerMaker, signal: AbortSignal) {
    this.#model = model
    this.#signal = signal
    this.root = element("div", "reactor-viewer", { role: "group" })
    const press = { onStart: () => this.#ask("start"), onStop: () => this.#ask("stop") }
    this.#toolbar = new Toolbar(this.root, press, signal)
    this.#overlay = new Overlay(() => this.#toolbar.press(), signal)
    this.#resize = new ResizeHandle(this.root, signal)
    this.#log = new LogPanel(signal)
    this.#surface = new Surface(this.#canvas, {
      onDrawn: (drawn) => this.#drawn(drawn),
      onSkipped: (count) => {
        this.#stats.skipped += count
      },
      onSize: (width_px, height_px) => this.#sized(width_px, height_px),
    })
    const stage = element("div", "reactor-stage", {}, this.#canvas, this.#overlay.root, this.#resize.handle)
    const bar = element("div", "reactor-bar", {}, this.#status.root, this.#toolbar.root)
    this.root.append(stage, bar, this.#errors.root, this.#log.root)

    this.#calls = new Calls((call) => this.#sendCall(call))
    this.#connection = new Connection(
      this.view_id,
      model,
      makePeer,
      {
        onTrack: (track, attempt) => paint(track, this.#surface, attempt),
        onMessage: (message) => this.#receive(message),
        onPiece: (piece) => this.#addToStill(piece),
        onChange: () => this.#show(),
        onLost: () => {
          this.#surface.still.reset()
          this.#calls.lose("channel", "The connection was lost before the kernel answered.")
        },
      },
      { hostname: location.hostname, is_secure: isSecureContext, has_webrtc: typeof RTCPeerConnection !== "undefined" },
    )
    this.reactor = {
      call: (name, params) => this.#calls.call(name, params),
      stats: () => this.#figures(),
      canvas: this.#canvas,
      onframe: null,
      onmessage: null,
    }
    this.root.reactor = this.reactor
    this.#listen(stage)
    this.#showErrorAndLog()
    this.#show()
    this.#connection.start()
  }

  #listen(stage: HTMLElement): void {
    const signal = this.#signal
    const model = this.#model
    onModel(model, "msg:custom", (message) => isMessage(message) && this.#connection.receive(message), signal)
    for (const trait of ["model_name", "state", "session_id", "has_poster", "help", "loading_since_ms"]) {
      onModel(model, `change:${trait}`, () => this.#show(), signal)
    }
    for (const trait of ["error", "log"]) onModel(model, `change:${trait}`, () => this.#showErrorAndLog(), signal)
    onModel(model, "comm:close", () => this.#connection.close(problems.KERNEL_GONE), signal)
    // Jupyter's widget manager marks the view only after this event.
    onModel(model, "comm_live_update", () => queueMicrotask(() => this.#followComm()), signal)

    const onSight = (is_seen: boolean) => {
      this.#surface.is_visible = is_seen
      this.#connection.watch(is_seen)
      keepKeys(this.root, signal)
    }
    followSight(stage, onSight, signal)
    // A canvas that has lost its memory (the GPU was reset) is empty: a model that rests sends nothing by itself.
    const onRestored = () => {
      this.#connection.send({ type: "keyframe" })
      this.#surface.still.show()
    }
    this.#canvas.addEventListener("contextrestored", onRestored, { signal })
    const status = setInterval(() => this.#show(), STATUS_MS)
    const report = setInterval(() => this.#report(), REPORT_MS)
    window.addEventListener("pagehide", () => this.#connection.close("The page was left."), { signal })
    window.addEventListener("pageshow", (event) => event.persisted && this.#connection.start(), { signal })
    const end = () => {
      clearInterval(status)
      clearInterval(report)
      this.#connection.close()
      this.#surface.close()
      this.#calls.lose("all", "The view was closed before the kernel answered.")
    }
    signal.addEventListener("abort", end, { once: true })
  }

  #receive(message: KernelToPage): void {
    if (message.type === "reply") this.#calls.answer(message)
    else if (message.type === "error") this.#errors.show({ title: "", traceback: "", ...message.error })
    else if (message.type === "message") this.reactor.onmessage?.(message.data)
    else if (message.type === "stream") {
      this.#stream = message
      this.#surface.emitted = message
    } else if (message.type === "still") this.#surface.still.announce(message)
  }

  #addToStill(piece: ArrayBuffer): void {
    this.#surface.still.add(piece).catch((cause) => console.warn("[reactor_nb] a still cannot be shown:", cause))
  }

  #sendCall(call: CallMessage): "channel" | "comm" {
    if (this.#connection.send(call)) return "channel"
    this.#model.send(call)
    return "comm"
  }

  #ask(type: "start" | "stop"): void {
    this.#model.send({ type, view_id: this.view_id })
  }

  #drawn(drawn: Drawn): void {
    const { rtp_timestamp, drawn_ms } = drawn
    this.#times.add(drawn)
    const latency_ms = this.#latencyOf(rtp_timestamp, drawn_ms)
    this.#stats.paint(drawn_ms, latency_ms)
    this.reactor.onframe?.({ rtp_timestamp, drawn_ms, latency_ms })
    const session_id = this.#model.get("session_id")
    if (this.#painted_session === session_id) return
    this.#painted_session = session_id
    this.#show()
  }

  /** From emission in the kernel to the end of drawing here; null while the clocks are not yet compared. */
  #latencyOf(rtp_timestamp: number | null, drawn_ms: number): number | null {
    const kernel_ms = this.#connection.clock.kernelTime(drawn_ms)
    const origin = this.#stream
    if (kernel_ms === null || rtp_timestamp === null || origin === null) return null
    const { rtp_origin, rtp_origin_kernel_ms } = origin
    if (rtp_origin === null || rtp_origin_kernel_ms === null) return null
    return (
      this.#connection.wait_ms + kernel_ms - playedAt(rtp_timestamp, { rtp_origin, rtp_origin_kernel_ms }, kernel_ms)
    )
  }

  #sized(width_px: number, height_px: number): void {
    this.root.style.setProperty("--reactor-ratio", `${width_px} / ${height_px}`)
    this.root.classList.toggle("reactor-tiny", Math.max(width_px, height_px) < TINY_PX)
    this.root.classList.add("reactor-has-picture")
    this.#resize.follow(width_px, height_px)
  }

  #figures(): Record<string, number | string | null> {
    const now_ms = performance.now()
    return {
      painted: this.#stats.painted,
      skipped: this.#stats.skipped,
      rate_fps: this.#stats.rate(now_ms),
      latency_ms: this.#stats.latency(now_ms),
      first_paint_ms: this.#stats.first_paint_ms,
      width_px: this.#stats.painted > 0 ? this.#canvas.width : 0,
      height_px: this.#stats.painted > 0 ? this.#canvas.height : 0,
      carrier: this.#connection.phase === "live" ? "WebRTC" : "",
      painter: this.#surface.painter,
      codec: this.#stream?.codec ?? "",
      round_trip_ms: this.#connection.clock.round_trip_ms,
      phase: this.#connection.phase,
      problem: this.#connection.problem,
    }
  }

  #report(): void {
    const now_ms = performance.now()
    const frames = this.#times.take(this.#connection.clock, this.#receive_ms)
    this.#connection.send({
      type: "painted",
      painted: this.#stats.painted,
      skipped: this.#stats.skipped,
      latency_ms: this.#stats.latency(now_ms),
      rate_fps: this.#stats.rate(now_ms),
      painter: this.#surface.painter,
      frames,
    })
    if (frames.length === 0) return
    // For the next report: asking the browser takes a while.
    void this.#connection.receiveDelay().then((receive_ms) => {
      this.#receive_ms = receive_ms
    })
  }

  #followComm(): void {
    const is_gone = this.root.closest(".jupyter-widgets-disconnected") !== null
    if (is_gone) this.#connection.close(problems.KERNEL_GONE)
    else if (this.#connection.phase === "closed") this.#connection.start()
  }

  #show(): void {
    const model = this.#model
    const now_ms = performance.now()
    const connection = this.#connection
    const state = model.get("state")
    const has_painted = this.#painted_session === model.get("session_id")
    const text = overlayText({
      state,
      has_painted,
      model_name: model.get("model_name"),
      loading_s: this.#loadingSeconds(),
      last_log_line: lastLine(model.get("log")),
      has_error: model.get("error") !== null,
      help: model.get("help") ?? "",
      phase: connection.phase,
      problem: connection.problem,
      greetings: connection.greetings,
      was_live: connection.was_live,
    })
    this.root.dataset.state = state
    this.root.setAttribute("aria-label", `Viewer of ${model.get("model_name")}`)
    this.#canvas.setAttribute("aria-label", `Picture of ${model.get("model_name")}`)
    // The poster gives way to a live picture only: without a kernel it is all there is.
    const is_gone = connection.phase === "closed" && this.#stats.painted === 0
    this.root.classList.toggle("reactor-has-poster", model.get("has_poster") && !is_gone)
    this.root.classList.toggle("reactor-is-live", text === null)
    this.root.classList.toggle("reactor-is-bare", state === "failed" && this.#stats.painted === 0)
    this.#overlay.show(text, state === "failed" ? "Try again" : "Start")
    this.#toolbar.show(state, connection.phase !== "closed")
    this.#status.show({
      // With its kernel every session is gone, whatever the last message said.
      state: connection.problem === problems.KERNEL_GONE ? "ended" : state,
      model_name: model.get("model_name"),
      rate_fps: this.#stats.rate(now_ms),
      latency_ms: this.#stats.latency(now_ms),
      width_px: this.#stats.painted > 0 ? this.#canvas.width : 0,
      height_px: this.#stats.painted > 0 ? this.#canvas.height : 0,
      carrier: connection.phase === "live" && isRunning(state) ? "WebRTC" : "",
      painter: this.#surface.painter,
    })
  }

  #showErrorAndLog(): void {
    this.#errors.show(this.#model.get("error"))
    this.#log.show(this.#model.get("log"))
    this.#show()
  }

  #loadingSeconds(): number {
    if (this.#model.get("state") !== "loading") {
      this.#loading_seen_ms = 0
      return 0
    }
    this.#loading_seen_ms ||= Date.now()
    const since_ms = this.#model.get("loading_since_ms")
    // The kernel's machine may have another wall clock; then count from when this page saw it.
    const is_plausible = since_ms > 0 && since_ms <= this.#loading_seen_ms + 1000
    return (Date.now() - (is_plausible ? since_ms : this.#loading_seen_ms)) / 1000
  }
}
