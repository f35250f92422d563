// The status line: state, frame rate, size, latency, and the rung on which the picture comes.
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
  /** The rung's name; "" while no picture comes. */
  carrier: string
  /** In the place of the name: what a person should know now; "" for nothing. */
  note: string
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
    carrier: facts.carrier,
  }
}

export class StatusLine {
  readonly root: HTMLElement
  /** Shows why the picture comes as it does; see panels/rungs.ts. */
  readonly more: HTMLButtonElement
  readonly #state = element("span", "reactor-state", { role: "status" })
  readonly #name = element("span", "reactor-name")
  readonly #note = element("span", "reactor-note", { role: "status" })
  readonly #rate = element("span", "reactor-measure reactor-rate", { title: "Frames painted per second" })
  readonly #size = element("span", "reactor-measure reactor-size", { title: "Size of a frame, in pixels" })
  readonly #latency = element("span", "reactor-measure reactor-latency", {
    title: "From emit_block to the drawn picture",
  })
  readonly #carrier = element("span", "reactor-carrier-name")

  constructor() {
    this.more = element(
      "button",
      "reactor-measure reactor-carrier",
      {
        type: "button",
        title: "How the picture reaches this page; click for why",
        "data-lm-suppress-shortcuts": "true",
      },
      this.#carrier,
    )
    this.root = element("div", "reactor-status")
    this.root.append(this.#state, this.#name, this.#note, this.#rate, this.#size, this.#latency, this.more)
  }

  show(facts: StatusFacts): void {
    const texts = statusTexts(facts)
    this.#state.dataset.state = facts.state
    setText(this.#state, facts.state)
    setText(this.#name, facts.note === "" ? facts.model_name : "")
    setText(this.#note, facts.note)
    setText(this.#rate, texts.rate)
    setText(this.#size, texts.size)
    setText(this.#latency, texts.latency)
    setText(this.#carrier, texts.carrier)
  }
}
