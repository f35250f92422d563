// The status line: state, frame rate, size, latency, carrier.
import { element, setText } from "./dom"
import { formatLatency, formatRate, formatSize } from "./format"
import type { SessionState } from "./model"

export interface StatusFacts {
  state: SessionState
  model_name: string
  rate_fps: number
  width_px: number
  height_px: number
  latency_ms: number | null
  /** "" while no carrier is live. */
  carrier: string
  /** How it comes from there to the canvas; "" before the first frame. */
  painter: string
}

export interface StatusTexts {
  rate: string
  size: string
  latency: string
  carrier: string
}

/** Measures are told only while they are measured: a stopped picture has a size and no rate. */
export function statusTexts(facts: StatusFacts): StatusTexts {
  const is_live = facts.state === "streaming" && facts.carrier !== ""
  return {
    rate: is_live ? formatRate(facts.rate_fps) : "",
    size: facts.width_px > 0 ? formatSize(facts.width_px, facts.height_px) : "",
    latency: is_live && facts.latency_ms !== null ? formatLatency(facts.latency_ms) : "",
    carrier: [facts.carrier, facts.carrier && facts.painter].filter(Boolean).join(" · "),
  }
}

export class StatusLine {
  readonly root: HTMLElement
  readonly #state = element("span", "reactor-state", { role: "status" })
  readonly #name = element("span", "reactor-name")
  readonly #rate = element("span", "reactor-measure reactor-rate", { title: "Frames painted per second" })
  readonly #size = element("span", "reactor-measure reactor-size", { title: "Size of a frame, in pixels" })
  readonly #latency = element("span", "reactor-measure reactor-latency", {
    title: "From emit_block to the drawn picture",
  })
  readonly #carrier = element("span", "reactor-measure reactor-carrier", {
    title: "How the picture reaches this page, and its canvas",
  })

  constructor() {
    this.root = element("div", "reactor-status")
    this.root.append(this.#state, this.#name, this.#rate, this.#size, this.#latency, this.#carrier)
  }

  show(facts: StatusFacts): void {
    const texts = statusTexts(facts)
    this.#state.dataset.state = facts.state
    setText(this.#state, facts.state)
    setText(this.#name, facts.model_name)
    setText(this.#rate, texts.rate)
    setText(this.#size, texts.size)
    setText(this.#latency, texts.latency)
    setText(this.#carrier, texts.carrier)
  }
}
