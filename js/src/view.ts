// One rendering of a viewer in a page. Everything that it starts ends with its signal.
import { Calls, type Road, randomId } from "./calls"
import { bytesOf } from "./carriers/buffers"
import { isMessage } from "./carriers/peer"
import { Connection } from "./connection"
import { BoundControls } from "./controls/bind"
import { element } from "./dom"
import { lastLine } from "./format"
import type { ReactorHandle } from "./handle"
import { keepKeys } from "./keys"
import { LoadingTime } from "./loading"
import { Measures } from "./measures"
import { isRunning, type ModelPort, onModel } from "./model"
import { note } from "./notes"
import { Overlay, overlayText } from "./overlay"
import type { Page } from "./page"
import { paint } from "./painter/paint"
import { type Drawn, Surface, TINY_PX } from "./painter/surface"
import { ErrorPanel } from "./panels/error"
import { LogPanel } from "./panels/log"
import { RungPanel } from "./panels/rungs"
import * as problems from "./problems"
import type { ControlMessage, KernelToPage } from "./protocol"
import { ResizeHandle } from "./resize"
import { followNetwork, followSight } from "./sight"
import { StatusLine } from "./status"
import { Toolbar } from "./toolbar"

/** The status line is read by people: more often than this is flicker. */
const STATUS_MS = 500
const REPORT_MS = 1000
export class View {
  readonly root: HTMLElement & { reactor?: ReactorHandle }
  readonly reactor: ReactorHandle
  readonly view_id = randomId()
  readonly #model: ModelPort
  readonly #signal: AbortSignal
  readonly #canvas = element("canvas", "reactor-canvas", { role: "img" })
  readonly #surface: Surface
  readonly #connection: Connection
  readonly #measures: Measures
  readonly #calls: Calls
  readonly #controls: BoundControls
  readonly #status = new StatusLine()
  readonly #errors = new ErrorPanel()
  readonly #overlay: Overlay
  readonly #toolbar: Toolbar
  readonly #resize: ResizeHandle
  readonly #log: LogPanel
  readonly #rungs: RungPanel
  readonly #loading = new LoadingTime()
  #painted_session: number | null = null

  constructor(model: ModelPort, page: Page, signal: AbortSignal) {
    this.#model = model
    this.#signal = signal
    this.root = element("div", "reactor-viewer", { role: "group" })
    const press = { onStart: () => this.#ask("start"), onStop: () => this.#ask("stop") }
    this.#toolbar = new Toolbar(this.root, press, signal)
    this.#overlay = new Overlay(() => this.#toolbar.press(), signal)
    this.#resize = new ResizeHandle(this.root, signal)
    this.#log = new LogPanel(signal)
    this.#rungs = new RungPanel(this.#status.more, this.#status.root, `reactor-rungs-${this.view_id}`, signal)
    this.#surface = new Surface(this.#canvas, {
      onDrawn: (drawn) => this.#drawn(drawn),
      onSkipped: (count) => this.#measures.skip(count),
      onSize: (width_px, height_px) => this.#sized(width_px, height_px),
      onArrived: (carrier, is_older) => this.#connection.arrived(carrier, is_older),
    })
    const stage = element("div", "reactor-stage", {}, this.#canvas, this.#overlay.root, this.#resize.handle)
    const bar = element("div", "reactor-bar", {}, this.#status.root, this.#toolbar.root)
    this.root.append(stage, bar, this.#rungs.root, this.#errors.root, this.#log.root)

    this.#calls = new Calls((request) => this.#connection.post(request))
    const events = {
      onTrack: (track: MediaStreamTrack, attempt: AbortSignal) => paint(track, this.#surface, attempt),
      onMessage: (message: KernelToPage, road: Road) => this.#receive(message, road),
      onPiece: (piece: ArrayBuffer, road: Road) => this.#addToStill(piece, road),
      onChange: () => this.#show(),
      onRoad: () => {
        this.#calls.reroute(this.#connection.road)
        this.#controls.flush()
      },
      onLost: (is_all_anew: boolean) => this.#lost(is_all_anew),
      onClosed: () => this.#calls.lose("The connection was closed before the kernel answered."),
    }
    this.#connection = new Connection(this.view_id, model, this.#surface, events, page)
    this.#measures = new Measures(this.#connection, this.#surface)
    this.reactor = {
      call: (name, params) => this.#calls.call(name, params),
      stats: () => this.#measures.figures(),
      canvas: this.#canvas,
      onframe: null,
      onmessage: null,
    }
    this.root.reactor = this.reactor
    const road = {
      view_id: this.view_id,
      isDirect: () => this.#connection.road === "channel",
      send: (control: ControlMessage) => this.#calls.request(control, control.command),
    }
    this.#controls = new BoundControls(model, road, signal)
    this.#listen(stage)
    this.#showErrorAndLog()
    this.#show()
    this.#connection.start()
  }

  #listen(stage: HTMLElement): void {
    const signal = this.#signal
    const model = this.#model
    const onMessage = (message: unknown, buffers: unknown) => {
      if (isMessage(message)) this.#connection.receive(message, bytesOf(buffers))
    }
    onModel(model, "msg:custom", onMessage, signal)
    for (const trait of ["model_name", "state", "session_id", "has_poster", "help", "loading_since_ms"]) {
      onModel(model, `change:${trait}`, () => this.#show(), signal)
    }
    for (const trait of ["error", "log"]) onModel(model, `change:${trait}`, () => this.#showErrorAndLog(), signal)
    onModel(model, "change:carrier", () => this.#connection.choose(), signal)
    onModel(model, "comm:close", () => this.#connection.close(problems.KERNEL_GONE), signal)
    // Jupyter's widget manager marks the view only after this event.
    onModel(model, "comm_live_update", () => queueMicrotask(() => this.#followComm()), signal)

    const onSight = (is_seen: boolean) => {
      this.#surface.is_visible = is_seen
      this.#connection.watch(is_seen)
      keepKeys(this.root, signal)
    }
    followSight(stage, onSight, signal)
    followNetwork(() => this.#connection.networkChanged(), signal)
    // A canvas that has lost its memory (the GPU was reset) is empty: a model that rests sends nothing by itself.
    const onRestored = () => {
      this.#connection.say({ type: "keyframe" })
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
      this.#calls.lose("The view was closed before the kernel answered.")
    }
    signal.addEventListener("abort", end, { once: true })
  }

  #receive(message: KernelToPage, road: Road): void {
    if (message.type === "reply") this.#calls.answer(message)
    else if (message.type === "error") this.#errors.show({ title: "", traceback: "", ...message.error })
    else if (message.type === "message") this.reactor.onmessage?.(message.data)
    else if (message.type === "stream") {
      this.#measures.stream = message
      this.#surface.emitted = message
      this.#surface.timeline.origin = message
    } else if (message.type === "still") {
      const { rtp_timestamp } = message
      const stamp = road === "comm" ? rtp_timestamp : this.#surface.timeline.ofTrack(rtp_timestamp).stamp
      this.#surface.still.announce({ ...message, rtp_timestamp: stamp }, road)
    }
  }

  #report(): void {
    const report = this.#measures.report()
    if (report !== null) this.#connection.say(report)
  }

  #lost(is_all_anew: boolean): void {
    this.#surface.still.interrupted()
    if (!is_all_anew) return
    this.#surface.still.reset()
    this.#surface.timeline.reset()
  }

  #addToStill(piece: ArrayBuffer, road: Road): void {
    this.#surface.still.add(piece, road).catch((cause) => console.warn("[reactor_nb] a still cannot be shown:", cause))
  }

  #ask(type: "start" | "stop"): void {
    this.#model.send({ type, view_id: this.view_id })
  }

  #drawn(drawn: Drawn): void {
    const latency_ms = this.#measures.add(drawn)
    this.reactor.onframe?.({ rtp_timestamp: drawn.rtp_timestamp, drawn_ms: drawn.drawn_ms, latency_ms })
    const session_id = this.#model.get("session_id")
    if (this.#painted_session === session_id) return
    this.#painted_session = session_id
    this.#show()
  }

  #sized(width_px: number, height_px: number): void {
    this.root.style.setProperty("--reactor-ratio", `${width_px} / ${height_px}`)
    this.root.classList.toggle("reactor-tiny", Math.max(width_px, height_px) < TINY_PX)
    this.root.classList.add("reactor-has-picture")
    this.#resize.follow(width_px, height_px)
  }

  #followComm(): void {
    const is_gone = this.root.closest(".jupyter-widgets-disconnected") !== null
    if (is_gone) this.#connection.close(problems.KERNEL_GONE)
    else if (this.#connection.phase === "closed") this.#connection.start()
  }

  #show(): void {
    const model = this.#model
    const { phase, problem, greetings, was_live } = this.#connection
    const state = model.get("state")
    const model_name = model.get("model_name")
    const text = overlayText({
      state,
      has_painted: this.#painted_session === model.get("session_id"),
      model_name,
      loading_s: this.#loading.seconds(state === "loading", model.get("loading_since_ms")),
      last_log_line: lastLine(model.get("log")),
      has_error: model.get("error") !== null,
      help: model.get("help") ?? "",
      phase,
      problem,
      greetings,
      was_live,
    })
    this.root.dataset.state = state
    this.root.setAttribute("aria-label", `Viewer of ${model_name}`)
    this.#canvas.setAttribute("aria-label", `Picture of ${model_name}`)
    const has_painted = this.#measures.has_painted
    // The poster gives way to a live picture only: without a kernel it is all there is.
    const is_gone = phase === "closed" && !has_painted
    this.root.classList.toggle("reactor-has-poster", model.get("has_poster") && !is_gone)
    this.root.classList.toggle("reactor-is-live", text === null)
    this.root.classList.toggle("reactor-is-bare", state === "failed" && !has_painted)
    this.#overlay.show(text, state === "failed" ? "Try again" : "Start")
    this.#toolbar.show(state, phase !== "closed")
    this.#status.show({
      ...this.#measures.shown(performance.now()),
      // With its kernel every session is gone, whatever the last message said.
      state: problem === problems.KERNEL_GONE ? "ended" : state,
      model_name,
      carrier: isRunning(state) ? this.#measures.rung : "",
      note: note(this.#calls, this.#connection, performance.now()),
    })
    this.#rungs.show({ rungs: this.#measures.rungs, detail: this.#measures.detail })
  }

  #showErrorAndLog(): void {
    this.#errors.show(this.#model.get("error"))
    this.#log.show(this.#model.get("log"))
    this.#show()
  }
}
