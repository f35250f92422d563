import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { KernelClock } from "../src/clock"
import { Heartbeat } from "../src/heartbeat"

function setUp(is_watched = true) {
  const told: string[] = []
  const end = new AbortController()
  let pings = 0
  const heartbeat = new Heartbeat(
    new KernelClock(),
    is_watched,
    {
      send: () => {
        pings += 1
      },
      onSilent: () => told.push("silent"),
      onHeard: () => told.push("heard"),
      onLost: () => told.push("lost"),
    },
    end.signal,
  )
  const pong = () => heartbeat.pong({ type: "pong", sent_ms: performance.now(), kernel_ms: 0 })
  /** Time passes, with pongs or frames at every 100 ms where they are wanted. */
  const pass = async (time_ms: number, { pongs = false, frames = false } = {}) => {
    for (let passed_ms = 0; passed_ms < time_ms; passed_ms += 100) {
      await vi.advanceTimersByTimeAsync(100)
      if (pongs) pong()
      if (frames) heartbeat.frame()
    }
  }
  return { heartbeat, told, end, pong, pass, pings: () => pings }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe("a watched road", () => {
  test("on which pongs and frames stop is silent within a second", async () => {
    const { told, pass, end } = setUp()
    await pass(3000, { pongs: true, frames: true })
    await pass(600)
    expect(told).toEqual([])
    await pass(400)
    expect(told).toEqual(["silent"])
    end.abort()
  })

  test("of a model that rests is silent after a little longer", async () => {
    const { told, pass, end } = setUp()
    await pass(3000, { pongs: true })
    await pass(1000)
    expect(told).toEqual([])
    await pass(500)
    expect(told).toEqual(["silent"])
    end.abort()
  })

  test("whose pongs are late while frames come is not silent", async () => {
    const { told, pass, end } = setUp()
    await pass(3000, { frames: true })
    expect(told).toEqual([])
    end.abort()
  })

  test("of a model that begins to rest is not silent", async () => {
    const { told, pass, end } = setUp()
    await pass(1000, { pongs: true, frames: true })
    await pass(3000, { pongs: true })
    expect(told).toEqual([])
    end.abort()
  })

  test("that is heard again says so once", async () => {
    const { told, pass, end } = setUp()
    await pass(2000)
    await pass(1000, { pongs: true })
    expect(told).toEqual(["silent", "heard"])
    end.abort()
  })

  test("that stays silent for 6 s is lost, and nothing more is said", async () => {
    const { told, pass } = setUp()
    await pass(6600)
    expect([told, vi.getTimerCount()]).toEqual([["silent", "lost"], 0])
  })
})

describe("a road that nobody watches", () => {
  test("is asked every 2 s, and is lost as slowly", async () => {
    const { told, pass, pings, end } = setUp(false)
    await pass(1000)
    const first = pings()
    await pass(4000, { pongs: true })
    expect(pings() - first).toBe(2)
    await pass(4000)
    expect(told).toEqual([])
    end.abort()
  })

  test("that broke meanwhile is known to within a second of being watched", async () => {
    const { heartbeat, told, pass, end } = setUp(false)
    await pass(1000, { pongs: true })
    await pass(3000)
    heartbeat.is_watched = true
    await pass(1000)
    expect(told).toEqual(["silent"])
    end.abort()
  })
})

test("a heartbeat that ended leaves no timer", async () => {
  const { end, pass } = setUp()
  await pass(700)
  end.abort()
  expect(vi.getTimerCount()).toBe(0)
})
