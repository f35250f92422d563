// Start, stop and full screen: ordinary buttons, so that a keyboard and a screen reader work as everywhere.
import { element } from "./dom"
import { isRunning, type SessionState } from "./model"

const ICONS = {
  start: "M5 3.2v9.6l8-4.8z",
  stop: "M4 4h8v8H4z",
  enter: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  leave: "M6 2.5V6H2.5M13.5 6H10V2.5M10 13.5V10h3.5M2.5 10H6v3.5",
}
const SVG = "http://www.w3.org/2000/svg"
/** The kernel may be busy, so a pressed button is given back after a while. */
const PRESSED_MS = 5000

export interface ToolbarEvents {
  onStart(): void
  onStop(): void
}

export class Toolbar {
  readonly root: HTMLElement
  readonly #run = button()
  readonly #full = button()
  readonly #events: ToolbarEvents
  readonly #frame: HTMLElement
  #state: SessionState = "idle"
  #is_connected = true
  #pressed: ReturnType<typeof setTimeout> | undefined

  /** `frame` is what full screen shows. */
  constructor(frame: HTMLElement, events: ToolbarEvents, signal: AbortSignal) {
    this.#frame = frame
    this.#events = events
    this.root = element("div", "reactor-toolbar", { role: "toolbar", "aria-label": "Session" }, this.#run, this.#full)
    this.#run.addEventListener("click", () => this.press(), { signal })
    this.#full.addEventListener("click", () => void this.#toggleFullScreen(), { signal })
    document.addEventListener("fullscreenchange", () => this.#followFullScreen(), { signal })
    signal.addEventListener("abort", () => clearTimeout(this.#pressed), { once: true })
    this.#full.hidden = !document.fullscreenEnabled
    this.#followFullScreen()
  }

  show(state: SessionState, is_connected: boolean): void {
    if (state !== this.#state) this.#release()
    this.#state = state
    this.#is_connected = is_connected
    const stops = isRunning(state) || state === "stopping"
    label(this.#run, stops ? "Stop" : "Start", stops ? ICONS.stop : ICONS.start, true)
    this.#enable()
  }

  /** Start or stop, whichever the button offers now. */
  press(): void {
    if (this.#run.disabled) return
    this.#pressed = setTimeout(() => {
      this.#release()
      this.#enable()
    }, PRESSED_MS)
    this.#enable()
    if (isRunning(this.#state)) this.#events.onStop()
    else this.#events.onStart()
  }

  #enable(): void {
    this.#run.disabled = this.#pressed !== undefined || this.#state === "stopping" || !this.#is_connected
  }

  #release(): void {
    clearTimeout(this.#pressed)
    this.#pressed = undefined
  }

  async #toggleFullScreen(): Promise<void> {
    try {
      if (document.fullscreenElement === this.#frame) await document.exitFullscreen()
      else await this.#frame.requestFullscreen()
    } catch (cause) {
      this.#full.title = `The browser allows no full screen here (${String(cause)})`
    }
  }

  #followFullScreen(): void {
    const is_full = document.fullscreenElement === this.#frame
    label(this.#full, is_full ? "Leave full screen" : "Full screen", is_full ? ICONS.leave : ICONS.enter, false)
  }
}

function button(): HTMLButtonElement {
  const made = element("button", "reactor-button", { type: "button", "data-lm-suppress-shortcuts": "true" })
  const svg = document.createElementNS(SVG, "svg")
  svg.setAttribute("viewBox", "0 0 16 16")
  svg.setAttribute("aria-hidden", "true")
  svg.append(document.createElementNS(SVG, "path"))
  made.append(svg)
  return made
}

function label(target: HTMLButtonElement, text: string, icon: string, is_solid: boolean): void {
  if (target.getAttribute("aria-label") === text) return
  target.setAttribute("aria-label", text)
  target.title = text
  target.classList.toggle("reactor-solid", is_solid)
  target.querySelector("path")?.setAttribute("d", icon)
}
