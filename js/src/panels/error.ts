// An error of the author's code: the traceback first, because that is what gets mended.
import { element, setText } from "../dom"
import { stripEscapes, tail } from "../format"
import type { ShownError } from "../model"

/** A recursion error's traceback is long, and its end tells most. */
const MAX_CHARS = 20_000

export class ErrorPanel {
  readonly root: HTMLElement
  readonly #title = element("div", "reactor-error-title")
  readonly #traceback = element("pre", "reactor-traceback", { tabindex: "0", "aria-label": "Traceback" })
  readonly #message = element("div", "reactor-error-message")

  constructor() {
    this.root = element("section", "reactor-error", { role: "alert", hidden: "" })
    this.root.append(this.#title, this.#traceback, this.#message)
  }

  show(error: ShownError | null): void {
    this.root.hidden = error === null
    if (error === null) return
    const traceback = tail(stripEscapes(error.traceback ?? "").trimEnd(), MAX_CHARS)
    const message = stripEscapes(error.message ?? "").trim()
    setText(this.#title, error.title || error.code)
    setText(this.#traceback, traceback)
    setText(this.#message, message)
    this.#traceback.hidden = traceback === ""
    this.#message.hidden = message === ""
    // The last line names the error: it is what the reader looks for.
    this.#traceback.scrollTop = this.#traceback.scrollHeight
  }
}
