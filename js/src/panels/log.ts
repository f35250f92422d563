// What the model's threads print: under the picture, bounded, and following its end.
import { element, setText } from "../dom"
import { lastLine, stripEscapes, tail } from "../format"

const MAX_CHARS = 40_000
/** Within this of the end the reader has not scrolled away. */
const NEAR_END_PX = 24

export class LogPanel {
  readonly root: HTMLDetailsElement
  readonly #text = element("pre", "reactor-log-text", { tabindex: "0", "aria-label": "Log of the model" })
  readonly #count = element("span", "reactor-log-count")
  /** A closed log still shows its end: a warning must not wait until somebody looks. */
  readonly #last = element("span", "reactor-log-last")
  #pending: string | null = null

  constructor(signal: AbortSignal) {
    const summary = element(
      "summary",
      "reactor-log-summary",
      { "data-lm-suppress-shortcuts": "true" },
      "Log",
      this.#count,
      this.#last,
    )
    this.root = element("details", "reactor-log", { hidden: "" }, summary, this.#text)
    this.root.addEventListener("toggle", () => this.#write(), { signal })
  }

  show(log: string): void {
    const text = tail(stripEscapes(log).trimEnd(), MAX_CHARS)
    this.root.hidden = text === ""
    this.#pending = text
    const lines = text === "" ? 0 : text.split("\n").length
    setText(this.#count, lines === 1 ? "1 line" : `${lines} lines`)
    setText(this.#last, lastLine(text))
    this.#write()
  }

  #write(): void {
    // A closed log is laid out by no one: its text waits until it is opened.
    if (!this.root.open || this.#pending === null) return
    const area = this.#text
    const was_near_end = area.scrollHeight - area.scrollTop - area.clientHeight < NEAR_END_PX || area.textContent === ""
    setText(area, this.#pending)
    this.#pending = null
    if (was_near_end) area.scrollTop = area.scrollHeight
  }
}
