// One command whose controls this page watches: what a person moves goes to the kernel by the best road there is.
import { randomId } from "../calls"
import type { ControlMessage } from "../protocol"
import { canTell, MOVED, onMove, type WidgetManager, type WidgetModel } from "./moves"

/** Counts the moves of this page; the kernel takes each once, and none that is older than one it has. */
const PAGE_ID = randomId()
let last_order = 0

/** A slider's moves that wait for an answer by data channel: there are more only when the kernel stands still. */
const MOST_DIRECT = 4
/** By the notebook's connection one, as a running cell may hold it: what is newest then is sent next. */
const MOST_BY_COMM = 1

/** Where a command's widgets are, as the Viewer's trait says. */
export interface CommandPlace {
  command: string
  params: Record<string, { model_id: string; state: string }>
  /** The button that sends, where there is one; else each change does. */
  press: string | null
}

/** How one View sends. */
export interface ControlRoad {
  readonly view_id: string
  /** Whether it goes by a data channel now, which no cell keeps waiting. */
  isDirect(): boolean
  /** Resolves when the kernel has taken it. Rejects with a `code`: "carrier" when it was lost on the way. */
  send(control: ControlMessage): Promise<unknown>
}

interface Move {
  id: string
  order: number
  values: Record<string, unknown>
}

export class WatchedCommand {
  readonly #place: CommandPlace
  readonly #roads = new Set<ControlRoad>()
  readonly #controller = new AbortController()
  #waiting: Move[] = []
  #flying = 0

  constructor(place: CommandPlace) {
    this.#place = place
  }

  get has_roads(): boolean {
    return this.#roads.size > 0
  }

  /** Finds the widgets and watches them; false where they cannot be watched, and ipywidgets speaks as ever. */
  async watch(manager: WidgetManager): Promise<boolean> {
    const { params, press } = this.#place
    const names = Object.keys(params)
    const ids = [...Object.values(params).map(({ model_id }) => model_id), ...(press === null ? [] : [press])]
    const models: WidgetModel[] = []
    try {
      for (const model of await Promise.all(ids.map((id) => manager.get_model(id)))) {
        if (!canTell(model)) return false
        models.push(model)
      }
    } catch {
      return false
    }
    const { signal } = this.#controller
    const states = () =>
      Object.fromEntries(names.map((name, index) => [name, models[index]?.get(params[name]?.state ?? "value")]))
    const button = press === null ? null : models.at(-1)
    if (button) onMove(button, "presses", () => this.#move(button, states()), signal)
    else {
      for (const [index, name] of names.entries()) {
        const model = models[index]
        if (model) onMove(model, params[name]?.state ?? "value", () => this.#move(model, states()), signal)
      }
    }
    return !signal.aborted
  }

  join(road: ControlRoad): void {
    this.#roads.add(road)
    this.flush()
  }

  leave(road: ControlRoad): void {
    this.#roads.delete(road)
    if (!this.has_roads) this.#controller.abort()
  }

  /** Sends what waits, where there is room now. */
  flush(): void {
    while (this.#waiting.length > 0) {
      const road = [...this.#roads].find((each) => each.isDirect()) ?? [...this.#roads][0]
      if (road === undefined || this.#flying >= (road.isDirect() ? MOST_DIRECT : MOST_BY_COMM)) return
      const move = this.#waiting.shift()
      if (move) void this.#fly(road, move)
    }
  }

  #move(model: WidgetModel, values: Record<string, unknown>): void {
    if (!this.has_roads) return
    last_order += 1
    const order = last_order
    // It leaves with what ipywidgets sends of the same change: the kernel then knows that it was told.
    model.set(MOVED, { page_id: PAGE_ID, order })
    const move = { id: randomId(), order, values }
    // Each press counts; of values only the newest does.
    this.#waiting = this.#place.press === null ? [move] : [...this.#waiting, move]
    this.flush()
  }

  async #fly(road: ControlRoad, move: Move): Promise<void> {
    this.#flying += 1
    try {
      await road.send({
        type: "control",
        id: move.id,
        view_id: road.view_id,
        page_id: PAGE_ID,
        command: this.#place.command,
        values: move.values,
        order: move.order,
      })
    } catch (cause) {
      // What the kernel refuses it has shown at the control.
      if (codeOf(cause) === "carrier") this.#keep(move)
    } finally {
      this.#flying -= 1
    }
    if (!this.#waiting.includes(move) || !this.#roads.has(road)) this.flush()
  }

  /** It was lost: it goes with the next road that comes, unless a newer value takes its place. */
  #keep(move: Move): void {
    if (this.#place.press === null && this.#waiting.length > 0) return
    this.#waiting = [...this.#waiting, move].sort((one, other) => one.order - other.order)
  }
}

function codeOf(cause: unknown): unknown {
  return typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined
}
