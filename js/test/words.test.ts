import { describe, expect, test } from "vitest"
import * as format from "../src/format"
import { type OverlayFacts, overlayText } from "../src/overlay"
import * as problems from "../src/problems"
import { naturalWidth } from "../src/resize"
import { statusTexts } from "../src/status"

describe("formatting", () => {
  test("slow rates have a decimal", () => {
    expect([29.97, 9.951, 9.94, 0.5].map(format.formatRate)).toEqual(["30 fps", "10 fps", "9.9 fps", "0.5 fps"])
  })

  test("a latency is never negative", () => {
    expect([-3, 12.4, 12_000].map(format.formatLatency)).toEqual(["0 ms", "12 ms", "12 s"])
  })

  test("elapsed time grows into minutes and hours", () => {
    expect([-1, 3.9, 75, 3700].map(format.formatElapsed)).toEqual(["0 s", "3 s", "1:15", "1:01:40"])
  })

  test("terminal escapes are taken out and brackets stay", () => {
    const text = "\u001b[1;31mValueError\u001b[0m: x[0] \u001b]8;;file://a\u001b\\link\u001b]8;;\u0007 [ok]"
    expect(format.stripEscapes(text)).toBe("ValueError: x[0] link [ok]")
  })

  test("the last line of a log is the last that is written", () => {
    expect(format.lastLine("one\n 10%\r 20%\n\n")).toBe("20%")
    expect(format.lastLine("")).toBe("")
  })

  test("a long text keeps its end from a line's start", () => {
    expect(format.tail("first\nsecond\nthird", 10)).toBe("…\nthird")
    expect(format.tail("short", 14)).toBe("short")
  })
})

describe("the status line", () => {
  const live = {
    state: "streaming" as const,
    model_name: "plasma",
    rate_fps: 30,
    width_px: 640,
    height_px: 480,
    latency_ms: 12,
    carrier: "WebRTC",
    note: "",
  }

  test("tells everything of a live picture", () => {
    expect(statusTexts(live)).toEqual({ rate: "30 fps", size: "640×480", latency: "12 ms", carrier: "WebRTC" })
  })

  test("tells no rate and no latency of a picture that rests", () => {
    expect(statusTexts({ ...live, state: "ended", carrier: "" })).toEqual({
      rate: "",
      size: "640×480",
      latency: "",
      carrier: "",
    })
  })

  test("leaves out what is not known", () => {
    expect(statusTexts({ ...live, latency_ms: null, width_px: 0 })).toMatchObject({ size: "", latency: "" })
  })
})

describe("the overlay", () => {
  const facts: OverlayFacts = {
    state: "streaming",
    model_name: "plasma",
    loading_s: 0,
    last_log_line: "",
    has_error: false,
    has_painted: true,
    phase: "live",
    problem: null,
    greetings: 0,
    was_live: true,
    help: "",
  }
  const title = (changes: Partial<OverlayFacts>) => overlayText({ ...facts, ...changes })?.title
  const detail = (changes: Partial<OverlayFacts>) => overlayText({ ...facts, ...changes })?.detail

  test("a playing picture is covered by nothing", () => {
    expect(overlayText(facts)).toBeNull()
  })

  test("loading tells the time and the last line of the log", () => {
    const changes = { state: "loading" as const, loading_s: 12.4, last_log_line: "shard 3/24" }
    expect([title(changes), detail(changes)]).toEqual(["Loading plasma · 12 s", "shard 3/24"])
  })

  test("an idle, an ended and a failed session offer a start", () => {
    const offers = (["idle", "ended", "failed"] as const).map((state) => overlayText({ ...facts, state })?.can_start)
    expect(offers).toEqual([true, true, true])
  })

  test("a lost connection is reconnecting, whatever was painted", () => {
    expect(title({ phase: "waiting", problem: problems.LOST })).toBe("Reconnecting")
  })

  test("a kernel that does not answer a new view is busy", () => {
    expect(detail({ phase: "greeting", greetings: 4, was_live: false })).toBe(problems.KERNEL_BUSY)
  })

  test("a kernel that stopped answering may have restarted", () => {
    expect(detail({ phase: "greeting", greetings: 4 })).toBe(problems.KERNEL_SILENT)
  })

  test("a kernel that is gone is named in every state", () => {
    const changes = { phase: "closed" as const, problem: problems.KERNEL_GONE, state: "ended" as const }
    expect([title(changes), overlayText({ ...facts, ...changes })?.can_start]).toEqual(["Not connected", false])
  })
})

describe("the first width", () => {
  test("ordinary pictures keep their own", () => {
    expect([naturalWidth(640, 480), naturalWidth(1280, 720)]).toEqual([640, 1138])
  })

  test("tiny ones grow by a whole factor", () => {
    expect([naturalWidth(64, 64), naturalWidth(128, 72), naturalWidth(100, 100)]).toEqual([384, 384, 400])
  })

  test("tall ones are no taller than a screen", () => {
    expect(naturalWidth(720, 1280)).toBe(360)
  })
})
