import { afterEach, beforeEach, expect, test, vi } from "vitest"
import {
  type ReliefReport,
  type ReliefScope,
  type ReliefSeen,
  type ReliefStart,
  relieve,
} from "../src/painter/relief_worker"

class FakeFrame {
  is_closed = false
  displayWidth = 64
  displayHeight = 48

  constructor(
    readonly rtpTimestamp: number | undefined,
    readonly takes_ms = 0,
  ) {}

  metadata(): { rtpTimestamp?: number } {
    return this.rtpTimestamp === undefined ? {} : { rtpTimestamp: this.rtpTimestamp }
  }

  close(): void {
    this.is_closed = true
  }
}

let shown: number | null
let sizes: string[]
let reports: ReliefReport[]
let frames: FakeFrame[]
let source: ReadableStreamDefaultController<FakeFrame>
let scope: ReliefScope
let is_over: boolean

beforeEach(async () => {
  vi.useFakeTimers()
  shown = null
  sizes = []
  reports = []
  frames = []
  is_over = false
  const context = {
    drawImage(frame: FakeFrame, ...where: number[]) {
      vi.advanceTimersByTime(frame.takes_ms)
      shown = frame.rtpTimestamp ?? null
      sizes.push(where.slice(2, 4).join("x"))
    },
    clearRect() {
      shown = null
    },
  }
  scope = {
    onmessage: null,
    postMessage: (report) => reports.push(report),
    close: () => {
      is_over = true
    },
  }
  relieve(scope)
  const canvas = { width: 300, height: 150, getContext: () => context }
  const stream = new ReadableStream<FakeFrame>({
    start: (controller) => {
      source = controller
    },
  })
  tell({ canvas, frames: stream } as unknown as ReliefStart)
  await decode(0)
  see(0)
  sizes = []
})

afterEach(() => {
  source.close()
  vi.useRealTimers()
})

function tell(data: ReliefStart | ReliefSeen): void {
  scope.onmessage?.({ data } as MessageEvent<ReliefStart | ReliefSeen>)
}

function see(rtp_timestamp: number): void {
  tell({ rtp_timestamp, width: 63, height: 47, coded_width: 64, coded_height: 48 })
}

async function decode(rtp_timestamp: number | undefined, takes_ms = 0): Promise<void> {
  const frame = new FakeFrame(rtp_timestamp, takes_ms)
  frames.push(frame)
  source.enqueue(frame)
  await vi.advanceTimersByTimeAsync(0)
}

const drawn = () => reports.flatMap((report) => report.drawn.map(({ rtp_timestamp }) => rtp_timestamp))

test("what the main thread has drawn is not drawn again", async () => {
  for (let frame = 1; frame <= 20; frame += 1) {
    await decode(3000 * frame)
    await vi.advanceTimersByTimeAsync(5)
    see(3000 * frame)
    await vi.advanceTimersByTimeAsync(28)
  }
  expect([sizes, reports, frames.every(({ is_closed }) => is_closed)]).toEqual([[], [], true])
})

test("a frame that the main thread does not take within 25 ms is drawn, and those after it at once", async () => {
  await decode(3000)
  await vi.advanceTimersByTimeAsync(24)
  expect(shown).toBeNull()
  await vi.advanceTimersByTimeAsync(1)
  expect(shown).toBe(3000)
  await decode(6000)
  expect(shown).toBe(6000)
  expect(frames.every(({ is_closed }) => is_closed)).toBe(true)
})

test("of the frames that wait the newest is drawn, when the first has waited long enough", async () => {
  await decode(3000)
  await vi.advanceTimersByTimeAsync(16)
  await decode(6000)
  await vi.advanceTimersByTimeAsync(9)
  expect(shown).toBe(6000)
})

test("when the main thread has caught up the picture is its own again, a moment later", async () => {
  await decode(3000)
  await vi.advanceTimersByTimeAsync(25)
  await decode(6000)
  see(3000)
  await vi.advanceTimersByTimeAsync(50)
  expect(shown).toBe(6000)
  see(6000)
  await vi.advanceTimersByTimeAsync(29)
  expect(shown).toBe(6000)
  await vi.advanceTimersByTimeAsync(1)
  expect(shown).toBeNull()
})

test("what only the Worker has drawn is told after the halt, and no frame twice", async () => {
  await decode(3000)
  await vi.advanceTimersByTimeAsync(25)
  await decode(6000)
  await decode(9000)
  expect(reports).toEqual([])
  see(9000)
  await vi.advanceTimersByTimeAsync(30)
  expect(drawn()).toEqual([3000, 6000])
  await decode(12000)
  await vi.advanceTimersByTimeAsync(25)
  see(12000)
  await vi.advanceTimersByTimeAsync(30)
  expect(drawn()).toEqual([3000, 6000])
})

test("a halt right after another keeps the picture", async () => {
  await decode(3000)
  await vi.advanceTimersByTimeAsync(25)
  see(3000)
  await vi.advanceTimersByTimeAsync(2)
  await decode(6000)
  await vi.advanceTimersByTimeAsync(25)
  await vi.advanceTimersByTimeAsync(40)
  expect(shown).toBe(6000)
})

test("the padding of a codec is cut off as the main thread does", async () => {
  await decode(3000)
  await vi.advanceTimersByTimeAsync(25)
  expect(sizes).toEqual(["63x47"])
})

test("timestamps wrap", async () => {
  see(0xffffff00)
  await decode(200)
  await vi.advanceTimersByTimeAsync(25)
  expect(shown).toBe(200)
})

test("a frame that the main thread had first is left alone", async () => {
  see(3000)
  await decode(3000)
  await vi.advanceTimersByTimeAsync(100)
  expect(sizes).toEqual([])
})

test("drawing that waits for the main thread is told, so that it is given up", async () => {
  await decode(3000, 200)
  await vi.advanceTimersByTimeAsync(25)
  expect(reports.map(({ is_late }) => is_late)).toEqual([true])
})

test("frames without a timestamp cannot be compared and are left to the main thread", async () => {
  await decode(undefined)
  await vi.advanceTimersByTimeAsync(100)
  expect([sizes, frames.at(-1)?.is_closed]).toEqual([[], true])
})

test("it ends with its frames and leaves none open", async () => {
  await decode(3000)
  source.close()
  await vi.advanceTimersByTimeAsync(0)
  expect([is_over, frames.every(({ is_closed }) => is_closed), vi.getTimerCount()]).toEqual([true, true, 0])
  source = { close() {} } as unknown as typeof source
})

test("its source stands alone: it is sent to the Worker as text", () => {
  const text = `(${relieve})`
  expect(() => new Function(`"use strict"; return ${text}`)()).not.toThrow()
  expect(text).not.toMatch(/__vite|import/)
})
