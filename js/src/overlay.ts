// What is written over the picture while it is not simply playing.

import type { Phase } from "./connection_events"
import { element, setText } from "./dom"
import { formatElapsed } from "./format"
import type { SessionState } from "./model"
import * as problems from "./problems"

export interface OverlayFacts {
  state: SessionState
  model_name: string
  loading_s: number
  last_log_line: string
  has_error: boolean
  /** A frame of this session is on the canvas. */
  has_painted: boolean
  phase: Phase
  problem: string | null
  greetings: number
  was_live: boolean
  help: string
}

export interface OverlayText {
  title: string
  detail: string
  is_code: boolean
  is_busy: boolean
  can_start: boolean
}

/** This many unanswered greetings, about 4 s, are no slow start any more. */
const SILENT_GREETINGS = 4

/** Null: the picture needs no words. */
export function overlayText(facts: OverlayFacts): OverlayText | null {
  const text = (title: string, detail = "", options: Partial<OverlayText> = {}): OverlayText => ({
    title,
    detail,
    is_code: false,
    is_busy: false,
    can_start: false,
    ...options,
  })
  if (facts.phase === "closed") return text("Not connected", facts.problem ?? "")
  if (facts.greetings >= SILENT_GREETINGS && facts.was_live) return text("Not connected", problems.KERNEL_SILENT)
  switch (facts.state) {
    case "idle":
      return text(facts.model_name || "No model", facts.help, { can_start: facts.model_name !== "" })
    case "loading":
      return text(`Loading ${facts.model_name} · ${formatElapsed(facts.loading_s)}`, facts.last_log_line, {
        is_code: true,
        is_busy: true,
      })
    case "ended":
      return text("This session has ended", facts.help, { can_start: true })
    case "failed":
      return text("This session has failed", facts.has_error ? "" : facts.help, { can_start: true })
    case "stopping":
      return text("Stopping", "", { is_busy: true })
    default:
      return connectionText(facts, text)
  }
}

function connectionText(
  facts: OverlayFacts,
  text: (title: string, detail?: string, options?: Partial<OverlayText>) => OverlayText,
): OverlayText | null {
  if (facts.phase === "live") {
    if (facts.has_painted) return null
    return text(facts.state === "ready" ? "Waiting for the first frame" : "Waiting for the picture", "", {
      is_busy: true,
    })
  }
  if (facts.problem === problems.LOST || facts.problem === problems.STREAM_RESTARTED)
    return text("Reconnecting", facts.problem, { is_busy: true })
  if (facts.problem !== null) return text("No picture yet", facts.problem, { is_busy: true })
  const detail = facts.greetings >= SILENT_GREETINGS ? problems.KERNEL_BUSY : ""
  return text("Connecting", detail, { is_busy: true })
}

export class Overlay {
  readonly root: HTMLElement
  readonly #title = element("div", "reactor-overlay-title")
  readonly #detail = element("div", "reactor-overlay-detail")
  readonly #bar = element("div", "reactor-busy", { "aria-hidden": "true" })
  readonly #start: HTMLButtonElement

  constructor(onStart: () => void, signal: AbortSignal) {
    this.#start = element("button", "reactor-start", { type: "button", "data-lm-suppress-shortcuts": "true" }, "Start")
    this.#start.addEventListener("click", onStart, { signal })
    this.root = element("div", "reactor-overlay", { hidden: "" }, this.#title, this.#detail, this.#start, this.#bar)
  }

  show(text: OverlayText | null, start_label: string): void {
    this.root.hidden = text === null
    if (text === null) return
    setText(this.#title, text.title)
    setText(this.#detail, text.detail)
    this.#detail.hidden = text.detail === ""
    this.#detail.classList.toggle("reactor-code", text.is_code)
    this.#bar.hidden = !text.is_busy
    this.#start.hidden = !text.can_start
    setText(this.#start, start_label)
  }
}
