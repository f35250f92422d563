import { afterEach, describe, expect, it } from "vitest"
import { BoundControls, type ControlsModel } from "../src/controls/bind"
import type { CommandPlace, ControlRoad } from "../src/controls/command"
import { MOVED, type WidgetModel } from "../src/controls/moves"
import type { ControlMessage } from "../src/protocol"

/** A widget's model as Jupyter's widget manager keeps it, with what its `set` does when a listener sets something. */
class FakeWidget implements WidgetModel {
  _state_lock: Record<string, unknown> | null = null
  readonly #state = new Map<string, unknown>()
  readonly #listeners = new Map<string, Set<() => void>>()
  #changed: Record<string, unknown> = {}
  #is_changing = false
  #is_pending = false

  get(key: string): unknown {
    return this.#state.get(key)
  }

  set(key: string, value: unknown): void {
    const is_nested = this.#is_changing
    this.#is_changing = true
    try {
      if (!is_nested) this.#changed = {}
      this.#state.set(key, value)
      this.#changed[key] = value
      this.#is_pending = true
      this.#tell(`change:${key}`)
      if (is_nested) return
      while (this.#is_pending) {
        this.#is_pending = false
        this.#tell("change")
      }
    } finally {
      this.#is_pending = false
      this.#is_changing = false
    }
  }

  changedAttributes(): Record<string, unknown> {
    return this.#changed
  }

  on(event: string, listener: () => void): void {
    this.#listeners.set(event, (this.#listeners.get(event) ?? new Set()).add(listener))
  }

  off(event: string, listener: () => void): void {
    this.#listeners.get(event)?.delete(listener)
  }

  get listeners(): number {
    return [...this.#listeners.values()].reduce((sum, each) => sum + each.size, 0)
  }

  fromKernel(key: string, value: unknown): void {
    this._state_lock = { [key]: value }
    this.set(key, value)
    this._state_lock = null
  }

  #tell(event: string): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener()
  }
}

class FakeViewer implements ControlsModel {
  controls: CommandPlace[] = []
  readonly widgets = new Map<string, unknown>()
  readonly widget_manager = {
    get_model: async (id: string) => {
      if (!this.widgets.has(id)) throw new Error(`no ${id}`)
      return this.widgets.get(id)
    },
  }
  #drawn: () => void = () => undefined

  get(): CommandPlace[] {
    return this.controls
  }

  on(_event: string, listener: () => void): void {
    this.#drawn = listener
  }

  off(): void {
    this.#drawn = () => undefined
  }

  draw(controls: CommandPlace[]): void {
    this.controls = controls
    this.#drawn()
  }
}

class FakeRoad implements ControlRoad {
  readonly sent: ControlMessage[] = []
  readonly #open: { resolve(): void; reject(cause: unknown): void }[] = []

  constructor(
    readonly view_id: string,
    public direct = true,
  ) {}

  isDirect(): boolean {
    return this.direct
  }

  send(control: ControlMessage): Promise<void> {
    this.sent.push(control)
    return new Promise((resolve, reject) => this.#open.push({ resolve, reject }))
  }

  async answer(): Promise<void> {
    this.#open.shift()?.resolve()
    await settled()
  }

  async lose(code = "carrier"): Promise<void> {
    this.#open.shift()?.reject({ code })
    await settled()
  }

  get values(): unknown[] {
    return this.sent.map(({ values }) => Object.values(values)[0])
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve))

let made = 0
const ends: AbortController[] = []
afterEach(() => {
  for (const each of ends.splice(0)) each.abort()
})

function slider(viewer: FakeViewer): FakeWidget {
  made += 1
  const widget = new FakeWidget()
  viewer.widgets.set(`slider${made}`, widget)
  const place = { command: "speed", params: { value: { model_id: `slider${made}`, state: "value" } }, press: null }
  viewer.controls = [...viewer.controls, place]
  return widget
}

function view(viewer: FakeViewer, road: FakeRoad): { end: AbortController; bound: BoundControls } {
  const end = new AbortController()
  ends.push(end)
  return { end, bound: new BoundControls(viewer, road, end.signal) }
}

describe("controls of a page", () => {
  it("sends what a person changes, and marks what ipywidgets will send of it", async () => {
    const viewer = new FakeViewer()
    const widget = slider(viewer)
    const road = new FakeRoad("v")
    view(viewer, road)
    await settled()
    widget.set("value", 7)
    expect(road.sent).toHaveLength(1)
    const [control] = road.sent
    expect(control).toMatchObject({ type: "control", view_id: "v", command: "speed", values: { value: 7 } })
    expect(widget.get(MOVED)).toEqual({ page_id: control?.page_id, order: control?.order })
  })

  it("sends nothing of what the kernel sets", async () => {
    const viewer = new FakeViewer()
    const widget = slider(viewer)
    const road = new FakeRoad("v")
    view(viewer, road)
    await settled()
    widget.fromKernel("value", 3)
    expect(road.sent).toHaveLength(0)
    expect(widget.get(MOVED)).toBeUndefined()
  })

  it("leaves the change to the other views of the widget", async () => {
    const viewer = new FakeViewer()
    const widget = slider(viewer)
    const shown: unknown[] = []
    view(viewer, new FakeRoad("v"))
    await settled()
    widget.on("change", () => shown.push(widget.get("value")))
    widget.set("value", 7)
    expect(shown).toEqual([7])
  })

  it("sends nothing when something else of the widget changes", async () => {
    const viewer = new FakeViewer()
    const widget = slider(viewer)
    const road = new FakeRoad("v")
    view(viewer, road)
    await settled()
    widget.set("tooltip", "more")
    expect(road.sent).toHaveLength(0)
  })

  it("counts its moves up, whichever control it is", async () => {
    const viewer = new FakeViewer()
    const [one, other] = [slider(viewer), slider(viewer)]
    const road = new FakeRoad("v")
    view(viewer, road)
    await settled()
    one.set("value", 1)
    other.set("value", 2)
    one.set("value", 3)
    const orders = road.sent.map(({ order }) => order)
    expect(orders).toEqual([...orders].sort((a, b) => a - b))
    expect(new Set(orders).size).toBe(3)
  })

  it("sends a change once, however many views show the control, and by one with a data channel", async () => {
    const viewer = new FakeViewer()
    const widget = slider(viewer)
    const [by_comm, direct] = [new FakeRoad("a", false), new FakeRoad("b", true)]
    view(viewer, by_comm)
    view(viewer, direct)
    await settled()
    widget.set("value", 7)
    expect([by_comm.values, direct.values]).toEqual([[], [7]])
  })

  it("goes on with another view when one is closed, and ends with the last", async () => {
    const viewer = new FakeViewer()
    const widget = slider(viewer)
    const [one, other] = [new FakeRoad("a"), new FakeRoad("b")]
    const first = view(viewer, one)
    const second = view(viewer, other)
    await settled()
    first.end.abort()
    widget.set("value", 7)
    expect([one.values, other.values]).toEqual([[], [7]])
    second.end.abort()
    widget.set("value", 8)
    expect(widget.listeners).toBe(0)
    expect(other.values).toEqual([7])
  })

  it("has one move under way by comm, and then the newest", async () => {
    const viewer = new FakeViewer()
    const widget = slider(viewer)
    const road = new FakeRoad("v", false)
    view(viewer, road)
    await settled()
    for (const value of [1, 2, 3, 4]) widget.set("value", value)
    expect(road.values).toEqual([1])
    await road.answer()
    expect(road.values).toEqual([1, 4])
    await road.answer()
    expect(road.values).toEqual([1, 4])
  })

  it("sends at once by a data channel that opens while comm is held up", async () => {
    const viewer = new FakeViewer()
    const widget = slider(viewer)
    const road = new FakeRoad("v", false)
    const { bound } = view(viewer, road)
    await settled()
    widget.set("value", 1)
    widget.set("value", 2)
    road.direct = true
    bound.flush()
    expect(road.values).toEqual([1, 2])
  })

  it("passes values over when the kernel stands still, and never the newest", async () => {
    const viewer = new FakeViewer()
    const widget = slider(viewer)
    const road = new FakeRoad("v")
    view(viewer, road)
    await settled()
    for (let value = 0; value < 50; value += 1) widget.set("value", value)
    expect(road.values.length).toBeLessThan(8)
    for (let turn = 0; turn < 8; turn += 1) await road.answer()
    expect(road.values.at(-1)).toBe(49)
  })

  it("sends each press of a button, with what stands in its form", async () => {
    const viewer = new FakeViewer()
    const [button, name, size] = [new FakeWidget(), new FakeWidget(), new FakeWidget()]
    viewer.widgets.set("press1", button).set("name1", name).set("size1", size)
    const params = { name: { model_id: "name1", state: "value" }, size: { model_id: "size1", state: "index" } }
    viewer.controls = [{ command: "pair", params, press: "press1" }]
    const road = new FakeRoad("v", false)
    view(viewer, road)
    await settled()
    name.set("value", "tower")
    size.set("index", 2)
    expect(road.sent).toHaveLength(0)
    expect(name.get(MOVED)).toBeUndefined()
    button.set("presses", 1)
    button.set("presses", 2)
    button.set("presses", 3)
    for (let turn = 0; turn < 3; turn += 1) await road.answer()
    expect(road.sent.map(({ values }) => values)).toEqual(Array(3).fill({ name: "tower", size: 2 }))
  })

  it("sends a move that was lost by the next road, unless a newer value takes its place", async () => {
    const viewer = new FakeViewer()
    const widget = slider(viewer)
    const road = new FakeRoad("v", false)
    const { bound } = view(viewer, road)
    await settled()
    widget.set("value", 1)
    await road.lose()
    expect(road.values).toEqual([1])
    bound.flush()
    expect(road.values).toEqual([1, 1])
    expect(road.sent[1]?.order).toBe(road.sent[0]?.order)
    widget.set("value", 2)
    await road.lose()
    expect(road.values).toEqual([1, 1, 2])
  })

  it("sends nothing again that the kernel refused", async () => {
    const viewer = new FakeViewer()
    const widget = slider(viewer)
    const road = new FakeRoad("v")
    const { bound } = view(viewer, road)
    await settled()
    widget.set("value", 1)
    await road.lose("bad_parameters")
    bound.flush()
    expect(road.values).toEqual([1])
  })

  it("follows the controls when others are drawn", async () => {
    const viewer = new FakeViewer()
    const old = slider(viewer)
    const road = new FakeRoad("v")
    view(viewer, road)
    await settled()
    viewer.controls = []
    const fresh = slider(viewer)
    viewer.draw(viewer.controls)
    await settled()
    old.set("value", 1)
    fresh.set("value", 2)
    expect(road.values).toEqual([2])
    expect(old.listeners).toBe(0)
  })

  it("leaves to ipywidgets what it cannot watch", async () => {
    const viewer = new FakeViewer()
    const widget = slider(viewer)
    Reflect.deleteProperty(widget, "_state_lock")
    const gone = slider(viewer)
    viewer.widgets.delete(viewer.controls[1]?.params.value?.model_id ?? "")
    const road = new FakeRoad("v")
    view(viewer, road)
    await settled()
    widget.set("value", 1)
    gone.set("value", 2)
    expect(road.sent).toHaveLength(0)
    expect(widget.get(MOVED)).toBeUndefined()
  })
})
