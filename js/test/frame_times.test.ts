import { beforeEach, describe, expect, test } from "vitest"
import { KernelClock } from "../src/clock"
import { FrameTimes } from "../src/frame_times"

const AHEAD_MS = 1000
let clock: KernelClock
let times: FrameTimes

beforeEach(() => {
  clock = new KernelClock()
  clock.add(0, AHEAD_MS, 0)
  times = new FrameTimes()
})

function add(rtp_timestamp: number | null, received_ms: number | null, decoded_ms: number, drawn_ms: number): void {
  const place = { stamp: null, shown_kernel_ms: null }
  times.add({ carrier: "webrtc", painter: "track", place, rtp_timestamp, received_ms, decoded_ms, drawn_ms })
}

describe("the times of frames", () => {
  test("are told once, four numbers to a frame, by the kernel's clock", () => {
    add(3000, 10, 12.5, 14.126)
    add(6000, 43, 45, 47)
    expect(times.take(clock, null)).toEqual([3000, 1010, 1012.5, 1014.13, 6000, 1043, 1045, 1047])
    expect(times.take(clock, null)).toEqual([])
  })

  test("a browser that does not tell when packets came has the mean of the last second, or nothing", () => {
    add(3000, null, 12, 14)
    expect(times.take(clock, 2.5)).toEqual([3000, 1009.5, 1012, 1014])
    add(6000, null, 45, 47)
    expect(times.take(clock, null)).toEqual([6000, -1, 1045, 1047])
  })

  test("frames without a timestamp cannot be told apart and are left out", () => {
    add(null, 10, 12, 14)
    expect(times.take(clock, null)).toEqual([])
  })

  test("nothing is told, nor kept, before the clocks are compared", () => {
    add(3000, 10, 12, 14)
    expect(times.take(new KernelClock(), null)).toEqual([])
    expect(times.take(clock, null)).toEqual([])
  })

  test("a report that is late has the newest 256", () => {
    for (let frame = 1; frame <= 300; frame += 1) add(frame, frame, frame, frame)
    const told = times.take(clock, null)
    expect([told.length, told[0], told.at(-4)]).toEqual([1024, 45, 300])
  })
})
