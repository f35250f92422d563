import { describe, expect, test } from "vitest"
import { type Choice, Ladder, type PageAbilities } from "../src/ladder"
import * as problems from "../src/problems"

const PAGE: PageAbilities = { has_webrtc: true, is_secure: true, has_video_decoder: true }

function climbing(choice: Choice = "auto", page: Partial<PageAbilities> = {}): Ladder {
  return new Ladder(choice, { ...PAGE, ...page })
}

/** The pauses between attempts that all fail. */
function pauses(ladder: Ladder, count: number, has_relay = false): number[] {
  const waits: number[] = []
  let now_ms = 0
  for (let attempt = 0; attempt < count; attempt += 1) {
    ladder.attempted()
    ladder.failed(problems.NOT_FORMED, has_relay, now_ms)
    waits.push(ladder.next_ms - now_ms)
    now_ms = ladder.next_ms
  }
  return waits
}

function painting(): Ladder {
  const ladder = climbing()
  ladder.packet(false)
  ladder.attempted()
  ladder.opened()
  ladder.painted()
  return ladder
}

describe("the way up", () => {
  test("packets are wanted, and WebRTC is due, from the first moment", () => {
    const ladder = climbing()
    expect([ladder.wants_comm, ladder.isDue(0), ladder.rung]).toEqual([true, true, null])
  })

  test("an open channel is no picture: packets go on until frames of WebRTC are seen", () => {
    const ladder = climbing()
    ladder.packet(false)
    ladder.attempted()
    ladder.opened()
    expect([ladder.wants_comm, ladder.rung]).toEqual([true, "video"])
    ladder.painted()
    expect([ladder.wants_comm, ladder.rung]).toEqual([false, "webrtc"])
  })

  test("packets that are still on their way do not lead back", () => {
    const ladder = painting()
    ladder.packet(false)
    expect([ladder.wants_comm, ladder.rung]).toEqual([false, "webrtc"])
  })

  test("frames that were drawn before a silence do not end it", () => {
    const ladder = painting()
    ladder.silent()
    ladder.painted()
    expect(ladder.wants_comm).toBe(true)
  })
})

describe("a road that breaks", () => {
  test("a silence calls for packets at once, and keeps the peer", () => {
    const ladder = painting()
    ladder.silent()
    expect([ladder.wants_comm, ladder.rung, ladder.webrtc]).toEqual([true, "video", "silent"])
    ladder.heard()
    expect([ladder.wants_comm, ladder.webrtc]).toEqual([true, "open"])
    ladder.painted()
    expect([ladder.wants_comm, ladder.rung]).toEqual([false, "webrtc"])
  })

  test("a peer that is lost is tried again soon, then after 5, 10, 20, 40, 60 and 60 s", () => {
    const ladder = painting()
    ladder.failed(problems.LOST, false, 1000)
    expect(ladder.next_ms).toBe(1500)
    expect(pauses(ladder, 6)).toEqual([5000, 10_000, 20_000, 40_000, 60_000, 60_000])
  })

  test("a peer that brought the picture, fell silent, spoke again and was lost is tried again soon", () => {
    const ladder = painting()
    ladder.silent()
    ladder.heard()
    ladder.failed(problems.LOST, false, 1000)
    expect(ladder.next_ms).toBe(1500)
  })

  test("a channel that opens and brings no frame does not shorten the pauses", () => {
    const ladder = climbing()
    pauses(ladder, 3)
    ladder.attempted()
    ladder.opened()
    ladder.failed(problems.LOST, false, 0)
    expect(ladder.next_ms).toBe(40_000)
    ladder.attempted()
    ladder.failed(problems.NOT_FORMED, false, 0)
    expect(ladder.next_ms).toBe(60_000)
  })

  test("without another carrier the pauses are short", () => {
    expect(pauses(climbing("webrtc"), 6)).toEqual([500, 1000, 2000, 4000, 8000, 8000])
  })

  test("another network is tried at once, and with short pauses again", () => {
    const ladder = climbing()
    pauses(ladder, 4)
    ladder.nudge(7)
    expect([ladder.isDue(7), pauses(ladder, 1)]).toEqual([true, [5000]])
  })

  test("what brings the picture is not disturbed by another network", () => {
    const ladder = painting()
    ladder.nudge(0)
    expect(ladder.webrtc).toBe("painting")
  })
})

describe("relays", () => {
  test("are asked for when an attempt without has failed, and then at once", () => {
    const ladder = climbing()
    expect(ladder.wants_relay).toBe(false)
    expect([pauses(ladder, 1, true), ladder.wants_relay]).toEqual([[0], true])
    expect(pauses(ladder, 2, true)).toEqual([5000, 10_000])
  })

  test("are not asked for where the kernel knows none", () => {
    const ladder = climbing()
    pauses(ladder, 3)
    expect(ladder.wants_relay).toBe(false)
  })

  test("are not asked for by a peer that had formed without", () => {
    const ladder = painting()
    ladder.failed(problems.LOST, true, 0)
    expect(ladder.wants_relay).toBe(false)
  })
})

describe("what a page and its author leave", () => {
  test("each choice has its rungs", () => {
    const rungs = (choice: Choice) => {
      const ladder = climbing(choice)
      return [ladder.isDue(0), ladder.wants_video, ladder.wants_comm]
    }
    expect(rungs("auto")).toEqual([true, true, true])
    expect(rungs("webrtc")).toEqual([true, false, false])
    expect(rungs("comm")).toEqual([false, true, true])
    expect(rungs("jpeg")).toEqual([false, false, true])
  })

  test("a page that is not secure is shown images, and told what helps", () => {
    const ladder = climbing("auto", { is_secure: false, has_video_decoder: false })
    expect([ladder.wants_video, ladder.reasons().video]).toEqual([false, problems.NOT_SECURE])
  })

  test("an old browser on a secure page is told so", () => {
    expect(climbing("auto", { has_video_decoder: false }).reasons().video).toBe(problems.NO_WEBCODECS)
  })

  test("a browser without WebRTC is never asked for it", () => {
    const ladder = climbing("auto", { has_webrtc: false })
    expect([ladder.isDue(0), ladder.reasons().webrtc]).toEqual([false, problems.NO_WEBRTC])
  })

  test("a page that decodes none of the codecs is shown images", () => {
    const ladder = climbing()
    ladder.videoFailed("it knows none")
    ladder.packet(true)
    expect([ladder.wants_video, ladder.rung, ladder.reasons().video]).toEqual([false, "jpeg", "it knows none"])
  })

  test("a decoder that failed is told of where images come instead, and not where another codec does", () => {
    const ladder = climbing()
    ladder.decoderFailed("it broke")
    ladder.packet(true)
    expect(ladder.reasons().video).toBe("it broke")
    ladder.packet(false)
    expect(ladder.reasons().video).toBe("")
  })
})

describe("the reasons", () => {
  test("the rung in use has none, and what is behind it stands by", () => {
    expect(painting().reasons()).toEqual({ webrtc: "", video: "stands by", jpeg: "stands by" })
  })

  test("an attempt that failed is told until the next has succeeded", () => {
    const ladder = climbing()
    ladder.packet(false)
    expect(ladder.reasons().webrtc).toBe(problems.TRYING)
    pauses(ladder, 1)
    ladder.attempted()
    expect(ladder.reasons()).toEqual({ webrtc: problems.NOT_FORMED, video: "", jpeg: "stands by" })
    ladder.opened()
    ladder.painted()
    expect(ladder.reasons().webrtc).toBe("")
  })

  test("what was not asked for says how it is", () => {
    expect(climbing("jpeg").reasons()).toMatchObject({ webrtc: problems.NOT_CHOSEN, video: problems.NOT_CHOSEN })
    expect(climbing("webrtc").reasons()).toMatchObject({ video: problems.NOT_CHOSEN, jpeg: problems.NOT_CHOSEN })
  })
})
