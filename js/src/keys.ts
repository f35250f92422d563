// Keys that a control, a button or the log takes must not reach the notebook, where "d d" deletes the cell.

const KEEPS = "data-lm-suppress-shortcuts"
/** Whose listener a panel has now. */
const keepers = new WeakMap<HTMLElement, AbortSignal>()

/**
 * Marks whatever takes the focus in the panel of a view. JupyterLab looks for the mark at the focused element itself:
 * its selectors match there first, so one mark on the panel would come too late. May be called again.
 */
export function keepKeys(view: HTMLElement, signal: AbortSignal): void {
  const panel = view.closest<HTMLElement>(".reactor-panel") ?? view
  if (keepers.get(panel)?.aborted === false) return
  keepers.set(panel, signal)
  const mark = (event: Event) => event.target instanceof Element && event.target.setAttribute(KEEPS, "true")
  panel.addEventListener("focusin", mark, { signal })
}
