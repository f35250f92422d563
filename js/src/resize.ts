// The width of the picture: natural at first, then what the user drags or types, never wider than the cell.
import { element } from "./dom"
import { TINY_PX } from "./painter/surface"

const SMALLEST_PX = 240
/** A narrower picture is enlarged to about this, so that the status line under it has room. */
const COMFORTABLE_PX = 384
/** A tall picture is not shown taller than this unasked. */
const TALLEST_PX = 640
const STEP_PX = 16
const LARGE_STEP_PX = 96

/** The width a picture gets before the user chooses one. Tiny ones are enlarged by a whole factor. */
export function naturalWidth(width_px: number, height_px: number): number {
  if (width_px <= 0 || height_px <= 0) return 640
  const fitting = Math.min(width_px, (TALLEST_PX * width_px) / height_px)
  if (fitting >= COMFORTABLE_PX || height_px > width_px * 1.5) return Math.max(SMALLEST_PX, Math.round(fitting))
  if (Math.max(width_px, height_px) >= TINY_PX) return COMFORTABLE_PX
  return width_px * Math.max(1, Math.round(COMFORTABLE_PX / width_px))
}

export class ResizeHandle {
  readonly handle: HTMLElement
  readonly #frame: HTMLElement
  #chosen_px: number | null = null
  #natural_px = naturalWidth(0, 0)

  constructor(frame: HTMLElement, signal: AbortSignal) {
    this.#frame = frame
    this.handle = element("div", "reactor-handle", {
      role: "slider",
      tabindex: "0",
      title: "Drag to resize; double click for the first size",
      "aria-label": "Width of the picture",
      "data-lm-suppress-shortcuts": "true",
    })
    this.handle.addEventListener("pointerdown", (event) => this.#drag(event, signal), { signal })
    this.handle.addEventListener("dblclick", () => this.#choose(null), { signal })
    this.handle.addEventListener("keydown", (event) => this.#key(event), { signal })
    const observer = new ResizeObserver(() => this.#tell())
    observer.observe(frame)
    signal.addEventListener("abort", () => observer.disconnect(), { once: true })
    this.#apply()
  }

  /** The picture has another size now; a width that the user chose stays. */
  follow(width_px: number, height_px: number): void {
    this.#natural_px = naturalWidth(width_px, height_px)
    this.#apply()
  }

  #drag(event: PointerEvent, signal: AbortSignal): void {
    if (event.button !== 0) return
    event.preventDefault()
    this.handle.focus({ preventScroll: true })
    this.handle.setPointerCapture(event.pointerId)
    const from_x = event.clientX
    const from_px = this.#frame.clientWidth
    const drag = new AbortController()
    const ends = AbortSignal.any([signal, drag.signal])
    this.handle.addEventListener("pointermove", (move) => this.#choose(from_px + move.clientX - from_x), {
      signal: ends,
    })
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      this.handle.addEventListener(end, () => drag.abort(), { signal: ends })
    }
  }

  #key(event: KeyboardEvent): void {
    const step_px = event.shiftKey ? LARGE_STEP_PX : STEP_PX
    const width_px = this.#frame.clientWidth
    const next: Record<string, () => void> = {
      ArrowRight: () => this.#choose(width_px + step_px),
      ArrowUp: () => this.#choose(width_px + step_px),
      ArrowLeft: () => this.#choose(width_px - step_px),
      ArrowDown: () => this.#choose(width_px - step_px),
      Home: () => this.#choose(SMALLEST_PX),
      End: () => this.#choose(this.#widest()),
      Escape: () => this.#choose(null),
    }
    const act = next[event.key]
    if (act === undefined) return
    event.preventDefault()
    event.stopPropagation()
    act()
  }

  #choose(width_px: number | null): void {
    this.#chosen_px = width_px === null ? null : Math.round(Math.min(Math.max(width_px, SMALLEST_PX), this.#widest()))
    this.#apply()
  }

  #widest(): number {
    return Math.max(SMALLEST_PX, this.#frame.parentElement?.clientWidth ?? SMALLEST_PX)
  }

  #apply(): void {
    this.#frame.style.setProperty("--reactor-width", `${this.#chosen_px ?? this.#natural_px}px`)
    this.#tell()
  }

  #tell(): void {
    const shown_px = this.#frame.clientWidth
    this.handle.setAttribute("aria-valuemin", String(SMALLEST_PX))
    this.handle.setAttribute("aria-valuemax", String(this.#widest()))
    this.handle.setAttribute("aria-valuenow", String(shown_px))
    this.handle.setAttribute("aria-valuetext", `${shown_px} pixels wide`)
  }
}
