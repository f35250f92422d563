import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { Still } from "../src/painter/still"
import type { StillMessage } from "../src/protocol"

interface Bitmap {
  png: string
  is_closed: boolean
  close(): void
}

let drawn: string[]
let bitmaps: Bitmap[]
let still: Still

beforeEach(() => {
  drawn = []
  bitmaps = []
  vi.stubGlobal("createImageBitmap", async (png: Blob): Promise<Bitmap> => {
    const bitmap: Bitmap = {
      png: await png.text(),
      is_closed: false,
      close() {
        this.is_closed = true
      },
    }
    bitmaps.push(bitmap)
    return bitmap
  })
  still = new Still((image) => drawn.push((image as unknown as Bitmap).png))
})

afterEach(() => vi.unstubAllGlobals())

function announced(still_id: number, bytes: number, rtp_timestamp: number | null): StillMessage {
  return { type: "still", still_id, width_px: 4, height_px: 3, bytes, rtp_timestamp }
}

async function send(still_id: number, text: string, rtp_timestamp: number | null): Promise<void> {
  still.announce(announced(still_id, text.length, rtp_timestamp))
  const bytes = new TextEncoder().encode(text)
  await still.add(bytes.slice(0, 2).buffer)
  await still.add(bytes.slice(2).buffer)
}

test("a still is drawn when its last piece has come", async () => {
  still.announce(announced(1, 4, 900))
  await still.add(new TextEncoder().encode("ab").buffer)
  expect(drawn).toEqual([])
  await still.add(new TextEncoder().encode("cd").buffer)
  expect(drawn).toEqual(["abcd"])
})

test("the frame that it shows is not drawn over it, the next one is", async () => {
  await send(1, "abcd", 900)
  expect(still.admits(900)).toBe(false)
  expect(still.admits(600)).toBe(false)
  expect(still.admits(901)).toBe(true)
})

test("a still that comes after the next frame was drawn is not shown", async () => {
  expect(still.admits(901)).toBe(true)
  await send(1, "abcd", 900)
  expect(drawn).toEqual([])
})

test("timestamps wrap", async () => {
  await send(1, "abcd", 0xffffff00)
  expect(still.admits(0xfffffe00)).toBe(false)
  expect(still.admits(40)).toBe(true)
})

test("the same picture encoded once more is not drawn over the still", async () => {
  await send(1, "abcd", 900)
  still.announce(announced(1, 0, 3900))
  expect(still.admits(3900)).toBe(false)
})

test("where that frame was drawn before the kernel said so, the still is drawn again", async () => {
  await send(1, "abcd", 900)
  expect(still.admits(3900)).toBe(true)
  still.announce(announced(1, 0, 3900))
  expect(drawn).toEqual(["abcd", "abcd"])
  expect(still.admits(3900)).toBe(false)
})

test("a still that another replaces half way is dropped", async () => {
  still.announce(announced(1, 4, 900))
  await still.add(new TextEncoder().encode("ab").buffer)
  await send(2, "efgh", 1800)
  expect(drawn).toEqual(["efgh"])
})

test("a still that another replaces while it is decoded is closed", async () => {
  const first = send(1, "abcd", 900)
  await Promise.resolve()
  await Promise.all([first, send(2, "efgh", 1800)])
  expect(drawn).toEqual(["efgh"])
  expect(bitmaps.map(({ png, is_closed }) => [png, is_closed])).toEqual([
    ["abcd", true],
    ["efgh", false],
  ])
})

test("more bytes than were announced are ignored, and what is named without having come as well", async () => {
  await send(1, "abcd", 900)
  await still.add(new ArrayBuffer(5))
  still.announce(announced(7, 0, 900))
  expect(drawn).toEqual(["abcd"])
})

test("frames without timestamps are drawn, and the still after them", async () => {
  expect(still.admits(null)).toBe(true)
  await send(1, "abcd", null)
  expect(drawn).toEqual(["abcd"])
  expect(still.admits(null)).toBe(true)
  still.announce(announced(1, 0, null))
  expect(drawn).toEqual(["abcd", "abcd"])
})

test("its memory is given back once the picture has moved on", async () => {
  await send(1, "abcd", 900)
  for (let frame = 1; frame <= 31; frame += 1) still.admits(900 + frame * 3000)
  expect(bitmaps.map(({ is_closed }) => is_closed)).toEqual([true])
})

test("after a reset the timestamps of another connection count", async () => {
  expect(still.admits(500_000)).toBe(true)
  still.reset()
  await send(1, "abcd", 900)
  expect(drawn).toEqual(["abcd"])
})

test("pieces that come by another road than the still was announced by are no part of it", async () => {
  still.announce(announced(1, 4, 100), "comm")
  await still.add(new TextEncoder().encode("xx").buffer, "channel")
  await still.add(new TextEncoder().encode("abcd").buffer, "comm")
  expect(drawn).toEqual(["abcd"])
})

test("a still that came whole by one road is not waited for by the other", async () => {
  await send(1, "abcd", 100)
  still.announce(announced(1, 4, 130), "comm")
  expect([drawn, still.admits(130), bitmaps[0]?.is_closed]).toEqual([["abcd", "abcd"], false, false])
})

test("a still whose carrier ended half way is forgotten, and one that is whole stays", async () => {
  still.announce(announced(1, 4, 100))
  await still.add(new TextEncoder().encode("ab").buffer)
  still.interrupted()
  await still.add(new TextEncoder().encode("cd").buffer)
  expect(drawn).toEqual([])
  await send(2, "efgh", 200)
  still.interrupted()
  still.show()
  expect(drawn).toEqual(["efgh", "efgh"])
})
