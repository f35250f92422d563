import { describe, expect, test } from "vitest"
import { KernelClock } from "../src/clock"
import { playedAt } from "../src/rtp"

describe("the kernel's clock", () => {
  test("is unknown before the first pong", () => {
    expect(new KernelClock().kernelTime(5)).toBeNull()
  })

  test("follows the sample with the shortest round trip", () => {
    const clock = new KernelClock()
    clock.add(0, 1050, 100)
    clock.add(200, 1201, 204)
    clock.add(300, 1390, 400)
    expect([clock.kernelTime(0), clock.round_trip_ms]).toEqual([999, 4])
  })

  test("forgets old samples, so that drift is followed", () => {
    const clock = new KernelClock()
    clock.add(0, 1000, 1)
    for (let beat = 1; beat <= 16; beat += 1) clock.add(beat * 100, beat * 100 + 2001, beat * 100 + 2)
    expect(clock.kernelTime(0)).toBe(2000)
  })

  test("is right at the first pong after a machine has slept", () => {
    const clock = new KernelClock()
    for (let beat = 0; beat < 16; beat += 1) clock.add(beat * 100, beat * 100 + 1001, beat * 100 + 2)
    clock.add(1700, 1700 + 61_000 + 20, 1740)
    expect([clock.kernelTime(0), clock.round_trip_ms]).toEqual([61_000, 40])
  })

  test("does not take a slow answer for a jump", () => {
    const clock = new KernelClock()
    clock.add(0, 1001, 2)
    clock.add(100, 1100, 3100)
    expect([clock.kernelTime(0), clock.round_trip_ms]).toEqual([1000, 2])
  })

  test("takes no sample that ended before it began", () => {
    const clock = new KernelClock()
    clock.add(10, 1000, 5)
    clock.add(10, Number.NaN, 15)
    expect(clock.kernelTime(0)).toBeNull()
  })
})

describe("the time a frame was emitted", () => {
  const origin = { rtp_origin: 2 ** 32 - 9000, rtp_origin_kernel_ms: 1_000_000 }

  test("counts 90 ticks to the millisecond", () => {
    expect(playedAt(2 ** 32 - 9000 + 900, origin, 1_000_030)).toBe(1_000_010)
  })

  test("passes the wrap of the timestamp", () => {
    expect(playedAt(0, origin, 1_000_120)).toBe(1_000_100)
  })

  test("is right after several wraps, for a view that joins late", () => {
    const wrap_ms = 2 ** 32 / 90
    const emitted_ms = 1_000_000 + 3 * wrap_ms + 5000
    expect(playedAt(2 ** 32 - 9000 + 450_000 - 2 ** 32, origin, emitted_ms + 20)).toBeCloseTo(emitted_ms, 3)
  })

  test("may lie a little before the origin", () => {
    expect(playedAt(2 ** 32 - 9900, origin, 1_000_000)).toBeCloseTo(999_990, 6)
  })
})
