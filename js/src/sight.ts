// Whether somebody can see an element: its tab is in front, and it is not scrolled away.

export function followSight(target: Element, onSight: (is_seen: boolean) => void, signal: AbortSignal): void {
  let is_in_sight = true
  const look = () => onSight(is_in_sight && document.visibilityState === "visible")
  const observer = new IntersectionObserver((entries) => {
    is_in_sight = entries.at(-1)?.isIntersecting ?? true
    look()
  })
  observer.observe(target)
  document.addEventListener("visibilitychange", look, { signal })
  signal.addEventListener("abort", () => observer.disconnect(), { once: true })
}

/** Tells when this machine may have another network than before, or one again. */
export function followNetwork(onChange: () => void, signal: AbortSignal): void {
  window.addEventListener("online", onChange, { signal })
  const { connection } = navigator as Navigator & { connection?: EventTarget }
  connection?.addEventListener?.("change", onChange, { signal })
}
