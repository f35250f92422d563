import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { CallError, Calls, type Request, type Road, randomId } from "../src/calls"

function setUp(road: Road = "channel") {
  const sent: Request[] = []
  const calls = new Calls((call) => {
    sent.push(call)
    return road
  })
  return { sent, calls }
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

  test("calls of a lost road are told, calls of the other go on", async () => {
    const { calls } = setUp("comm")
    const call = calls.call("move")
    calls.lose("channel", "lost")
    expect(vi.getTimerCount()).toBe(1)
    calls.lose("all", "closed")
    await expect(call).rejects.toBeInstanceOf(CallError)
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
