// Binds the controls under a picture to the Views beside it: once in a page, however many Views show the same session.
import { type CommandPlace, type ControlRoad, WatchedCommand } from "./command"
import type { WidgetManager } from "./moves"

/** By the first widget of each command: two Views of one session show the same widgets. */
const watched = new Map<string, WatchedCommand>()

/** What it needs of the Viewer's model. */
export interface ControlsModel {
  get(key: "controls"): CommandPlace[] | undefined
  on(event: string, listener: () => void): void
  off(event: string, listener: () => void): void
  /** Missing where a front end has no ipywidgets. */
  widget_manager?: WidgetManager
}

export class BoundControls {
  readonly #model: ControlsModel
  readonly #road: ControlRoad
  readonly #signal: AbortSignal
  #commands: WatchedCommand[] = []
  /** Ends when other controls are drawn, as a changed model has other commands. */
  #drawn = new AbortController()

  /** Lives until `signal` ends. */
  constructor(model: ControlsModel, road: ControlRoad, signal: AbortSignal) {
    this.#model = model
    this.#road = road
    this.#signal = signal
    if (signal.aborted) return
    const drawn = () => this.#bind()
    model.on("change:controls", drawn)
    const end = () => {
      model.off("change:controls", drawn)
      this.#drawn.abort()
    }
    signal.addEventListener("abort", end, { once: true })
    this.#bind()
  }

  /** A road has opened or closed. */
  flush(): void {
    for (const command of this.#commands) command.flush()
  }

  #bind(): void {
    this.#drawn.abort()
    this.#commands = []
    const manager = this.#model.widget_manager
    if (this.#signal.aborted || manager === undefined) return
    this.#drawn = new AbortController()
    for (const place of this.#model.get("controls") ?? []) this.#watch(place, manager, this.#drawn.signal)
  }

  #watch(place: CommandPlace, manager: WidgetManager, signal: AbortSignal): void {
    const first = place.press ?? Object.values(place.params)[0]?.model_id
    if (first === undefined) return
    let command = watched.get(first)
    if (command === undefined) {
      command = new WatchedCommand(place)
      watched.set(first, command)
      void command.watch(manager)
    }
    const joined = command
    joined.join(this.#road)
    this.#commands.push(joined)
    const leave = () => {
      joined.leave(this.#road)
      if (!joined.has_roads && watched.get(first) === joined) watched.delete(first)
    }
    signal.addEventListener("abort", leave, { once: true })
  }
}
