// What a person does to an ipywidget in this page, told apart from what the kernel sets.

/** Written into the widget's state with each move that this page sends itself: see notebook/control_moves.py. */
export const MOVED = "reactor_moved"

/** A model of Jupyter's widget manager, as far as it is used here. */
export interface WidgetModel {
  get(key: string): unknown
  set(key: string, value: unknown): void
  /** What the change that is being told has changed. */
  changedAttributes(): Record<string, unknown> | false
  on(event: string, listener: () => void): void
  off(event: string, listener: () => void): void
  /** What a message of the kernel sets at this moment, by name. */
  _state_lock?: Record<string, unknown> | null
}

export interface WidgetManager {
  get_model(model_id: string): Promise<unknown>
}

/** Whether a person's change can be told from the kernel's: where it cannot, ipywidgets alone speaks. */
export function canTell(model: unknown): model is WidgetModel {
  return typeof model === "object" && model !== null && "_state_lock" in model
}

/**
 * Calls `moved` when a person has changed `state`, before ipywidgets sends it; until `signal` ends.
 *
 * Listens to `change` and not to `change:state`: what is set in a listener of that one takes the `change` away from
 * everybody else, in Jupyter's models, and so from the other views of the widget.
 */
export function onMove(model: WidgetModel, state: string, moved: () => void, signal: AbortSignal): void {
  if (signal.aborted) return
  const changed = () => {
    const lock = model._state_lock
    if (lock && state in lock) return
    const attributes = model.changedAttributes()
    if (attributes && state in attributes) moved()
  }
  model.on("change", changed)
  signal.addEventListener("abort", () => model.off("change", changed), { once: true })
}
