import { describe, expect, test } from "vitest"
import { PaintStats } from "../src/stats"

function painted(
  every_ms: number,
  count: number,
  latency_ms: number | null = 10,
): { stats: PaintStats; now_ms: number } {
  const stats = new PaintStats(0)
  for (let frame = 1; frame <= count; frame += 1) stats.paint(frame * every_ms, latency_ms)
  return { stats, now_ms: every_ms * count }
}

describe("paint statistics", () => {
  test("an even stream has its rate, past the end of the ring too", () => {
    const { stats, now_ms } = painted(1000 / 60, 900)
    expect(stats.rate(now_ms)).toBeCloseTo(60, 6)
    expect(stats.painted).toBe(900)
  })

  test("240 frames per second fit", () => {
    const { stats, now_ms } = painted(1000 / 240, 2000)
    expect(stats.rate(now_ms)).toBeCloseTo(240, 6)
  })

  test("a model of one frame in two seconds has a rate", () => {
    const { stats, now_ms } = painted(2000, 5)
    expect(stats.rate(now_ms)).toBeCloseTo(0.5)
  })

  test("a picture that rests has none", () => {
    const { stats, now_ms } = painted(33, 90)
    expect(stats.rate(now_ms + 6000)).toBe(0)
    expect(stats.latency(now_ms + 6000)).toBeNull()
  })

  test("the latency is the median, and unknown ones do not count", () => {
    const stats = new PaintStats(0)
    for (const [frame, latency_ms] of [5, null, 9, 100].entries()) stats.paint(frame, latency_ms)
    expect(stats.latency(10)).toBe(9)
  })

  test("the first paint is counted from the view's start", () => {
    const stats = new PaintStats(100)
    expect(stats.first_paint_ms).toBeNull()
    stats.paint(350, null)
    stats.paint(380, null)
    expect(stats.first_paint_ms).toBe(250)
  })
})
