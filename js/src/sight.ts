// Whether somebody can see an element: its tab is in front, it is not scrolled away, and it has a size.

export function followSight(target: Element, onSight: (is_seen: boolean) => void, signal: AbortSignal): void {
  let is_in_sight = true
  let has_size = true
  const look = () => onSight(is_in_sight && has_size && document.visibilityState === "visible")
  const sight = new IntersectionObserver((entries) => {
    is_in_sight = entries.at(-1)?.isIntersecting ?? true
    look()
  })
  // To an IntersectionObserver what has no size is in sight.
  const size = new ResizeObserver((entries) => {
    const { width, height } = entries.at(-1)?.contentRect ?? { width: 1, height: 1 }
    if (has_size === (width > 0 && height > 0)) return
    has_size = !has_size
    look()
  })
  sight.observe(target)
  size.observe(target)
  document.addEventListener("visibilitychange", look, { signal })
  const end = () => {
    sight.disconnect()
    size.disconnect()
  }
  signal.addEventListener("abort", end, { once: true })
  // In a tab behind another nothing is laid out, so neither observer speaks before it comes to the front.
  if (document.visibilityState !== "visible") look()
}

/** Tells when this machine may have another network than before, or one again. */
export function followNetwork(onChange: () => void, signal: AbortSignal): void {
  window.addEventListener("online", onChange, { signal })
  const { connection } = navigator as Navigator & { connection?: EventTarget & { type?: string } }
  let type = connection?.type
  // It also speaks of each new estimate of the same network's speed.
  const compare = () => {
    if (connection?.type === type) return
    type = connection?.type
    onChange()
  }
  connection?.addEventListener?.("change", compare, { signal })
}

/** Scrolling past a picture and back is not worth a keyframe. */
const LOOK_AWAY_MS = 400

/** Whether a view is watched: from when it is seen, until a moment after it is not. */
export class Watch {
  is_watched = true
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #onChange: (is_watched: boolean) => void

  constructor(onChange: (is_watched: boolean) => void) {
    this.#onChange = onChange
  }

  /** `is_patient`: one who looks away may come back. */
  see(is_seen: boolean, is_patient: boolean): void {
    clearTimeout(this.#timer)
    if (is_seen || !is_patient) this.#set(is_seen)
    else this.#timer = setTimeout(() => this.#set(false), LOOK_AWAY_MS)
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #set(is_watched: boolean): void {
    if (is_watched === this.is_watched) return
    this.is_watched = is_watched
    this.#onChange(is_watched)
  }
}
