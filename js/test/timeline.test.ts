import { beforeEach, describe, expect, test } from "vitest"
import { Timeline } from "../src/painter/timeline"

const ORIGIN = { rtp_origin: 2 ** 32 - 9000, rtp_origin_kernel_ms: 5_000_000 }

let timeline: Timeline
beforeEach(() => {
  timeline = new Timeline()
  timeline.origin = ORIGIN
})

function drawn(shown_kernel_ms: number, carrier: "webrtc" | "comm", now_ms = 0): void {
  timeline.drawn({ stamp: null, shown_kernel_ms }, carrier, now_ms)
}

function order(shown_kernel_ms: number | null, carrier: "webrtc" | "comm", now_ms = 0): string {
  return timeline.order({ stamp: null, shown_kernel_ms }, carrier, now_ms)
}

describe("the place of a frame", () => {
  test("of a track is the one that its packet has", () => {
    const place = timeline.ofTrack((2 ** 32 - 9000 + 90 * 500) % 2 ** 32)
    expect(place).toEqual({ stamp: 45_000, shown_kernel_ms: 5_000_500 })
  })

  test("of a track is not known before the kernel has told its origin", () => {
    timeline.origin = null
    expect(timeline.ofTrack(3000)).toEqual({ stamp: null, shown_kernel_ms: null })
  })

  test("of a track that runs for days is near the newest that was drawn", () => {
    const wrap_ms = 2 ** 32 / 90
    drawn(5_000_000 + 2 * wrap_ms, "comm")
    expect(timeline.ofTrack(0).shown_kernel_ms).toBeCloseTo(5_000_100 + 2 * wrap_ms, 3)
  })
})

describe("two carriers", () => {
  test("no frame is older than what was drawn", () => {
    drawn(1000, "comm")
    expect([order(967, "webrtc"), order(1033, "webrtc"), order(967, "comm")]).toEqual(["older", "newer", "older"])
  })

  test("the same frame by the other carrier is drawn once", () => {
    drawn(1000, "comm")
    expect(order(1000.4, "webrtc")).toBe("same")
  })

  test("a carrier that sends a frame again means it: the canvas may have lost it", () => {
    drawn(1000, "comm")
    expect(order(1000, "comm")).toBe("newer")
  })

  test("a frame of unknown time waits for the other carrier to have ended", () => {
    drawn(1000, "comm", 0)
    expect([order(null, "webrtc", 100), order(null, "webrtc", 300)]).toEqual(["older", "newer"])
    drawn(1000, "webrtc", 300)
    expect(order(null, "webrtc", 301)).toBe("newer")
  })

  test("a clock that jumped back does not stop the picture for good", () => {
    drawn(1_000_000, "comm", 0)
    expect([order(5, "comm", 1900), order(5, "comm", 2100)]).toEqual(["older", "newer"])
  })

  test("a stream that begins anew begins anywhere", () => {
    drawn(1_000_000, "comm", 0)
    timeline.reset()
    expect(order(5, "comm", 1)).toBe("newer")
  })
})
