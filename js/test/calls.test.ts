import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { CallError, Calls, type Request, type Road, randomId } from "../src/calls"

function setUp(road: Road = "channel") {
  const sent: Request[] = []
  const roads = { now: road }
  const calls = new Calls((call) => {
    sent.push(call)
    return roads.now
  })
  return { sent, calls, roads }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe("calls", () => {
  test("a reply resolves its call and no other", async () => {
    const { sent, calls } = setUp()
    const first = calls.call("move", { direction: "left" })
    const second = calls.call("jump")
    calls.answer({ type: "reply", id: sent[1]?.id ?? "", result: 2 })
    calls.answer({ type: "reply", id: sent[0]?.id ?? "", result: 1 })
    calls.answer({ type: "reply", id: "of another view", result: 3 })
    expect([await first, await second]).toEqual([1, 2])
    expect(sent[0]).toMatchObject({ type: "call", name: "move", params: { direction: "left" } })
    expect(vi.getTimerCount()).toBe(0)
  })

  test("an error rejects with its code and fields", async () => {
    const { sent, calls } = setUp()
    const call = calls.call("set_speed", { speed: 9 })
    const error = { code: "parameter", message: "speed is too large", fields: { speed: "at most 1" } }
    calls.answer({ type: "reply", id: sent[0]?.id ?? "", error })
    await expect(call).rejects.toMatchObject({ code: "parameter", fields: { speed: "at most 1" } })
  })

  test("what waits for an answer by another road is sent again in its order, under its id", async () => {
    const { sent, calls, roads } = setUp()
    const first = calls.call("move")
    const second = calls.call("jump")
    roads.now = "comm"
    const third = calls.call("turn")
    calls.reroute("comm")
    expect(sent.map(({ id }) => id)).toEqual([0, 1, 2, 0, 1].map((at) => sent[at]?.id))
    calls.reroute("comm")
    expect(sent).toHaveLength(5)
    for (const [at, request] of sent.slice(0, 3).entries()) calls.answer({ type: "reply", id: request.id, result: at })
    expect(await Promise.all([first, second, third])).toEqual([0, 1, 2])
  })

  test("an answer that comes twice is taken once", async () => {
    const { sent, calls } = setUp()
    const call = calls.call("move")
    for (const result of [1, 2]) calls.answer({ type: "reply", id: sent[0]?.id ?? "", result })
    expect(await call).toBe(1)
  })

  test("the oldest call of a road tells for how long it has waited", async () => {
    const { sent, calls } = setUp("comm")
    void calls.call("move")
    await vi.advanceTimersByTimeAsync(300)
    void calls.call("jump")
    await vi.advanceTimersByTimeAsync(500)
    const now_ms = performance.now()
    expect([calls.waiting_ms("comm", now_ms), calls.waiting_ms("channel", now_ms)]).toEqual([800, 0])
    calls.answer({ type: "reply", id: sent[0]?.id ?? "" })
    expect(calls.waiting_ms("comm", now_ms)).toBe(500)
  })

  test("calls of a view that ends are told", async () => {
    const { calls } = setUp("comm")
    const call = calls.call("move")
    calls.lose("closed")
    await expect(call).rejects.toBeInstanceOf(CallError)
    expect(vi.getTimerCount()).toBe(0)
  })

  test("a call that is never answered ends by the clock", async () => {
    const { calls } = setUp()
    const call = calls.call("move")
    const ended = expect(call).rejects.toMatchObject({ code: "call_timeout" })
    await vi.advanceTimersByTimeAsync(120_000)
    await ended
  })

  test("a call that cannot be sent says so", async () => {
    const calls = new Calls(() => {
      throw new Error("Cannot send")
    })
    await expect(calls.call("move")).rejects.toMatchObject({ code: "carrier" })
  })

  test("ids are 32 hexadecimal digits and differ", () => {
    expect(randomId()).toMatch(/^[0-9a-f]{32}$/)
    expect(randomId()).not.toBe(randomId())
  })
})
