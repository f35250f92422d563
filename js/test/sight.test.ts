import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { followSight } from "../src/sight"

type Entry = Record<string, unknown>

/** An observer that says what the test has it say. */
class FakeObserver {
  static made: FakeObserver[] = []
  is_observing = false

  constructor(readonly tell: (entries: Entry[]) => void) {
    FakeObserver.made.push(this)
  }

  observe(): void {
    this.is_observing = true
  }

  disconnect(): void {
    this.is_observing = false
  }
}

class Intersections extends FakeObserver {}
class Sizes extends FakeObserver {}

function setUp(visibilityState: string) {
  const page = Object.assign(new EventTarget(), { visibilityState })
  vi.stubGlobal("document", page)
  const seen: boolean[] = []
  const controller = new AbortController()
  followSight({} as Element, (is_seen) => seen.push(is_seen), controller.signal)
  const show = (state: string) => {
    page.visibilityState = state
    page.dispatchEvent(new Event("visibilitychange"))
  }
  const tell = (kind: typeof FakeObserver, entry: Entry) =>
    FakeObserver.made.find((each) => each instanceof kind)?.tell([entry])
  const size = (width: number, height: number) => tell(Sizes, { contentRect: { width, height } })
  return { seen, controller, show, size, scroll: (isIntersecting: boolean) => tell(Intersections, { isIntersecting }) }
}

beforeEach(() => {
  FakeObserver.made = []
  vi.stubGlobal("IntersectionObserver", Intersections)
  vi.stubGlobal("ResizeObserver", Sizes)
})
afterEach(() => void vi.unstubAllGlobals())

describe("a view", () => {
  test("that is made in a tab behind another is not seen until that comes to the front", () => {
    const { seen, show } = setUp("hidden")
    expect(seen).toEqual([false])
    show("visible")
    expect(seen).toEqual([false, true])
  })

  test("that is scrolled away is not seen", () => {
    const { seen, scroll } = setUp("visible")
    for (const is_in_sight of [true, false, true]) scroll(is_in_sight)
    expect(seen).toEqual([true, false, true])
  })

  test("that has no size is not seen, and other sizes change nothing", () => {
    const { seen, size } = setUp("visible")
    size(640, 360)
    size(0, 0)
    size(0, 360)
    size(320, 180)
    size(640, 360)
    expect(seen).toEqual([false, true])
  })

  test("that has ended observes and listens no more", () => {
    const { seen, controller, show } = setUp("visible")
    controller.abort()
    show("hidden")
    expect([seen, FakeObserver.made.map((each) => each.is_observing)]).toEqual([[], [false, false]])
  })
})
