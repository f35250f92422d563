// What the viewer needs of its anywidget model, as a port: a test fakes it without anywidget.

import type { CommandPlace } from "./controls/command"
import type { WidgetManager } from "./controls/moves"
import type { Choice } from "./ladder"

export type SessionState = "idle" | "loading" | "ready" | "streaming" | "stopping" | "ended" | "failed"

export interface ShownError {
  code: string
  title: string
  message: string
  traceback: string
}

export interface ViewerTraits {
  model_name: string
  state: SessionState
  session_id: number
  /** Wall clock of the kernel's machine; 0 when nothing loads. */
  loading_since_ms: number
  error: ShownError | null
  log: string
  has_poster: boolean
  /** What to do next, where the kernel has something to say. */
  help?: string
  /** Which roads the author leaves to the picture. */
  carrier?: Choice
  /** Where the widgets under the picture are, so that their changes can take the View's road. */
  controls?: CommandPlace[]
}

export interface ModelPort {
  get<K extends keyof ViewerTraits>(key: K): ViewerTraits[K]
  on(event: string, listener: (...args: unknown[]) => void): void
  off(event: string, listener: (...args: unknown[]) => void): void
  send(message: unknown): void
  /** Missing where a front end has no ipywidgets. */
  widget_manager?: WidgetManager
}

/** Listens until `signal` ends, as `addEventListener` does with `{ signal }`. */
export function onModel(
  model: ModelPort,
  event: string,
  listener: (...args: unknown[]) => void,
  signal: AbortSignal,
): void {
  if (signal.aborted) return
  model.on(event, listener)
  signal.addEventListener("abort", () => model.off(event, listener), { once: true })
}

/** The states in which a session exists and can be stopped. */
export function isRunning(state: SessionState): boolean {
  return state === "loading" || state === "ready" || state === "streaming"
}
