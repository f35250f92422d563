import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { Connection } from "../src/connection"
import * as problems from "../src/problems"
import { PROTOCOL_VERSION } from "../src/protocol"
import { FakeModel, type FakePeer, fakeSurface, noDecoder, peerMaker } from "./fakes"

const VIEW = "view-1"
const PAGE = { hostname: "localhost", is_secure: true, has_webrtc: true, has_video_decoder: true }

/** A view that is held to WebRTC; test/climbing.test.ts has the ladder. */
function setUp(page = PAGE) {
  const model = new FakeModel()
  model.traits.carrier = "webrtc"
  const { peers, makePeer } = peerMaker()
  const told = { lost: 0, messages: [] as unknown[] }
  const connection = new Connection(
    VIEW,
    model,
    fakeSurface(),
    {
      onTrack: () => undefined,
      onMessage: (message) => told.messages.push(message),
      onPiece: () => undefined,
      onChange: () => undefined,
      onRoad: () => undefined,
      onLost: () => {
        told.lost += 1
      },
      onClosed: () => undefined,
    },
    { ...page, makePeer, makeDecoder: noDecoder, videoCodecs: async () => [] },
  )
  const hello = (view_id = VIEW, protocol = PROTOCOL_VERSION) =>
    connection.receive({ type: "hello", view_id, protocol, ice_servers: [] })
  const answer = (sdp = "v=0\r\na=candidate:1") => {
    const offer_id = model.of("offer").at(-1)?.offer_id ?? ""
    connection.receive({ type: "answer", view_id: VIEW, offer_id, sdp })
  }
  return { model, peers, connection, told, hello, answer }
}

type Set = ReturnType<typeof setUp>

async function goLive({ connection, hello, answer, peers }: Set): Promise<FakePeer> {
  if (connection.phase === "closed" || connection.greetings === 0) connection.start()
  hello()
  await vi.advanceTimersByTimeAsync(0)
  answer()
  await vi.advanceTimersByTimeAsync(0)
  const peer = peers.at(-1)
  if (peer === undefined) throw new Error("no peer was made")
  peer.open()
  return peer
}

/** Time passes while the kernel answers every ping. */
async function answerPings(peer: FakePeer, time_ms: number): Promise<void> {
  for (let passed_ms = 0; passed_ms < time_ms; passed_ms += 500) {
    await vi.advanceTimersByTimeAsync(500)
    peer.events.onMessage({ type: "pong", sent_ms: performance.now(), kernel_ms: performance.now() + 1000 })
  }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe("greeting", () => {
  test("a busy kernel is greeted again after 0.5, 1, 2, 4, 8 and 8 seconds", async () => {
    const { model, connection } = setUp()
    connection.start()
    const counts = []
    for (const wait_ms of [500, 1000, 2000, 4000, 8000, 8000]) {
      await vi.advanceTimersByTimeAsync(wait_ms - 1)
      counts.push(model.of("ready").length)
      await vi.advanceTimersByTimeAsync(1)
    }
    expect(counts).toEqual([1, 2, 3, 4, 5, 6])
    expect(model.of("ready")[0]).toEqual({ type: "ready", view_id: VIEW, hostname: "localhost", is_secure: true })
    connection.close()
  })

  test("a hello to another view is left to it", async () => {
    const { connection, hello, peers } = setUp()
    connection.start()
    hello("view-2")
    await vi.advanceTimersByTimeAsync(0)
    expect([connection.phase, peers.length]).toEqual(["greeting", 0])
    connection.close()
  })

  test("several hellos to several greetings make one peer", async () => {
    const { connection, hello, peers } = setUp()
    connection.start()
    hello()
    hello()
    await vi.advanceTimersByTimeAsync(0)
    expect(peers.length).toBe(1)
    connection.close()
  })

  test("a kernel of another protocol is refused with the mend", () => {
    const { connection, hello } = setUp()
    connection.start()
    hello(VIEW, PROTOCOL_VERSION + 1)
    expect([connection.phase, connection.problem]).toEqual(["closed", problems.OTHER_VERSION])
  })

  test("a browser without WebRTC is told so and no kernel is asked", () => {
    const { connection, model } = setUp({ ...PAGE, has_webrtc: false })
    connection.start()
    expect([connection.phase, connection.problem, model.sent.length]).toEqual(["closed", problems.NO_WEBRTC, 0])
  })

  test("a closed comm means that the kernel is gone", () => {
    const { connection, model } = setUp()
    model.has_comm = false
    connection.start()
    expect([connection.phase, connection.problem]).toEqual(["closed", problems.KERNEL_GONE])
  })
})

describe("a kernel that goes before it has answered", () => {
  test("is noticed at the next greeting", async () => {
    const { connection, model } = setUp()
    connection.start()
    model.has_comm = false
    await vi.advanceTimersByTimeAsync(500)
    expect([connection.phase, connection.problem]).toEqual(["closed", problems.KERNEL_GONE])
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe("forming a peer", () => {
  test("hello, offer, answer and an open channel make it live", async () => {
    const set = setUp()
    const peer = await goLive(set)
    expect(set.connection.phase).toBe("live")
    expect(set.model.of("offer")[0]).toMatchObject({ view_id: VIEW, hostname: "localhost", sdp: expect.any(String) })
    expect(peer.accepted).toHaveLength(1)
    set.connection.close()
  })

  test("an answer to an older offer is not applied", async () => {
    const { connection, hello, peers } = setUp()
    connection.start()
    hello()
    await vi.advanceTimersByTimeAsync(0)
    connection.receive({ type: "answer", view_id: VIEW, offer_id: "older", sdp: "v=0" })
    expect(peers[0]?.accepted).toEqual([])
    connection.close()
  })

  test("a refusal is shown in the kernel's words and tried again", async () => {
    const { connection, hello, model, peers } = setUp()
    connection.start()
    hello()
    await vi.advanceTimersByTimeAsync(0)
    const offer_id = model.of("offer")[0]?.offer_id ?? ""
    connection.receive({ type: "refused", view_id: VIEW, offer_id, error: { code: "carrier", message: "No address." } })
    expect([connection.phase, connection.problem, peers[0]?.is_closed]).toEqual(["waiting", "No address.", true])
    await vi.advanceTimersByTimeAsync(1000)
    expect(connection.phase).toBe("greeting")
    expect(connection.problem).toBe("No address.")
    connection.close()
  })

  test("an offer that is not answered is given up and the kernel is greeted again", async () => {
    const { connection, hello, model, peers } = setUp()
    connection.start()
    hello()
    await vi.advanceTimersByTimeAsync(10_000)
    expect([connection.phase, connection.problem, peers[0]?.is_closed]).toEqual(["waiting", problems.NO_ANSWER, true])
    await vi.advanceTimersByTimeAsync(1000)
    expect(model.of("ready")).toHaveLength(2)
    connection.close()
  })

  test("a path that does not form within 8 s is given up with what helps", async () => {
    const { connection, hello, answer } = setUp()
    connection.start()
    hello()
    await vi.advanceTimersByTimeAsync(0)
    answer()
    await vi.advanceTimersByTimeAsync(8000)
    expect([connection.phase, connection.problem]).toEqual(["waiting", problems.NOT_FORMED])
    connection.close()
  })

  test("an answer without an address is given up with its own reason", async () => {
    const { connection, hello, answer } = setUp()
    connection.start()
    hello()
    await vi.advanceTimersByTimeAsync(0)
    answer("v=0\r\n")
    await vi.advanceTimersByTimeAsync(8000)
    expect(connection.problem).toBe(problems.NO_KERNEL_ADDRESS)
    connection.close()
  })
})

describe("a live connection", () => {
  test("stays live while pongs come", async () => {
    const set = setUp()
    const peer = await goLive(set)
    await answerPings(peer, 30_000)
    expect(set.connection.phase).toBe("live")
    expect(peer.sent.filter(({ type }) => type === "ping").length).toBeGreaterThan(14)
    set.connection.close()
  })

  test("is formed anew when no pong came for 6 s", async () => {
    const set = setUp()
    const peer = await goLive(set)
    await vi.advanceTimersByTimeAsync(6450)
    expect([set.connection.phase, set.connection.problem, peer.is_closed, set.told.lost]).toEqual([
      "waiting",
      problems.LOST,
      true,
      1,
    ])
    await vi.advanceTimersByTimeAsync(500)
    const second = await goLive(set)
    expect([set.connection.phase, set.connection.problem, second === peer]).toEqual(["live", null, false])
    set.connection.close()
  })

  test("passes replies and messages on, and keeps pongs for its clock", async () => {
    const set = setUp()
    const peer = await goLive(set)
    peer.events.onMessage({ type: "message", data: 7 })
    peer.events.onMessage({ type: "pong", sent_ms: performance.now(), kernel_ms: performance.now() + 1000 })
    expect(set.connection.wait_ms).toBe(0)
    peer.events.onMessage({ type: "pong", sent_ms: 0, kernel_ms: 1000, wait_ms: 480 })
    expect(set.connection.wait_ms).toBe(480)
    set.connection.receive({ type: "reply", id: "x", result: 1 })
    expect(set.told.messages).toEqual([
      { type: "message", data: 7 },
      { type: "reply", id: "x", result: 1 },
    ])
    expect(set.connection.clock.kernelTime(0)).toBeCloseTo(1000)
    set.connection.close()
  })

  test("closing it says bye, closes the peer and leaves no timer", async () => {
    const set = setUp()
    const peer = await goLive(set)
    set.connection.close()
    set.connection.close()
    expect([peer.is_closed, set.model.of("bye").length, vi.getTimerCount()]).toEqual([true, 1, 0])
  })

  test("it can be started again after it was closed", async () => {
    const set = setUp()
    await goLive(set)
    set.connection.close()
    await goLive(set)
    expect(set.connection.phase).toBe("live")
    set.connection.close()
  })
})

describe("who is watching", () => {
  const told = (peer: FakePeer) => peer.sent.flatMap((sent) => (sent.type === "watching" ? [sent.is_watching] : []))

  test("a view that is out of sight for 0.4 s says so, and that it is back at once", async () => {
    const set = setUp()
    const peer = await goLive(set)
    set.connection.watch(false)
    await vi.advanceTimersByTimeAsync(399)
    expect(told(peer)).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(told(peer)).toEqual([false])
    set.connection.watch(true)
    expect(told(peer)).toEqual([false, true])
    set.connection.close()
  })

  test("scrolling past says nothing", async () => {
    const set = setUp()
    const peer = await goLive(set)
    set.connection.watch(false)
    await vi.advanceTimersByTimeAsync(100)
    set.connection.watch(true)
    await vi.advanceTimersByTimeAsync(1000)
    expect(told(peer)).toEqual([])
    set.connection.close()
  })

  test("a new peer is told at once that nobody is watching, and nothing where somebody is", async () => {
    const set = setUp()
    set.connection.start()
    set.connection.watch(false)
    const first = await goLive(set)
    expect(told(first)).toEqual([false])
    set.connection.watch(true)
    set.connection.close()
    const second = await goLive(set)
    expect(told(second)).toEqual([])
    set.connection.close()
  })
})

describe("a call to connect again", () => {
  test("greets the kernel at once, and tells that calls on their way are lost", async () => {
    const set = setUp()
    const peer = await goLive(set)
    set.connection.receive({ type: "reconnect" })
    expect(set.connection.problem).toBe(problems.STREAM_RESTARTED)
    expect([set.connection.phase, peer.is_closed, set.told.lost]).toEqual(["greeting", true, 1])
    expect(set.model.of("ready")).toHaveLength(2)
    await goLive(set)
    expect(set.connection.phase).toBe("live")
    set.connection.close()
  })

  test("does not wait for the end of a pause between attempts", async () => {
    const set = setUp()
    set.connection.start()
    await vi.advanceTimersByTimeAsync(8000)
    const greeted = set.model.of("ready").length
    set.connection.receive({ type: "reconnect" })
    expect(set.model.of("ready")).toHaveLength(greeted + 1)
    set.connection.close()
  })

  test("does not bring back a view that was closed", () => {
    const set = setUp()
    set.connection.start()
    set.connection.close()
    set.connection.receive({ type: "reconnect" })
    expect([set.connection.phase, set.model.of("ready").length]).toEqual(["closed", 1])
  })
})
