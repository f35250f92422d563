import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { Connection } from "../src/connection"
import type { Choice } from "../src/ladder"
import * as problems from "../src/problems"
import { type CarryMessage, type HelloMessage, type PacketMessage, PROTOCOL_VERSION } from "../src/protocol"
import { FakeModel, type FakePeer, fakeSurface, noDecoder, peerMaker } from "./fakes"

const VIEW = "view-1"
const RELAYS = [{ urls: "turn:relay.example", username: "u", credential: "c" }]

function setUp(choice: Choice = "auto", changes: { is_secure?: boolean; video_codecs?: string[] } = {}) {
  const model = new FakeModel()
  model.traits.carrier = choice
  const { peers, makePeer } = peerMaker()
  const told = { roads: [] as string[], anew: [] as boolean[], closed: 0 }
  const { is_secure = true, video_codecs = ["H264", "VP8"] } = changes
  const connection: Connection = new Connection(
    VIEW,
    model,
    fakeSurface(),
    {
      onTrack: () => undefined,
      onMessage: () => undefined,
      onPiece: () => undefined,
      onChange: () => undefined,
      onRoad: () => told.roads.push(connection.road),
      onLost: (is_all_anew) => told.anew.push(is_all_anew),
      onClosed: () => {
        told.closed += 1
      },
    },
    {
      hostname: "localhost",
      is_secure,
      has_webrtc: true,
      has_video_decoder: is_secure,
      makePeer,
      makeDecoder: noDecoder,
      videoCodecs: async () => video_codecs,
    },
  )
  const hello = (changed: Partial<HelloMessage> = {}) =>
    connection.receive({ type: "hello", view_id: VIEW, protocol: PROTOCOL_VERSION, ice_servers: [], ...changed })
  const carries = () => model.of("carry").map(({ is_watching }) => is_watching)
  return { model, peers, connection, told, hello, carries }
}

type Set = ReturnType<typeof setUp>

async function pass(time_ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(time_ms)
}

async function greeted(set: Set, changed: Partial<HelloMessage> = {}): Promise<void> {
  set.connection.start()
  set.hello(changed)
  await pass(0)
}

async function opened(set: Set): Promise<FakePeer> {
  const offer_id = set.model.of("offer").at(-1)?.offer_id ?? ""
  set.connection.receive({ type: "answer", view_id: VIEW, offer_id, sdp: "v=0\r\na=candidate:1" })
  await pass(0)
  const peer = set.peers.at(-1)
  if (peer === undefined) throw new Error("no peer was made")
  peer.open()
  return peer
}

function packet(changes: Partial<PacketMessage> = {}): PacketMessage {
  const size = { width_px: 640, height_px: 480, rate_fps: 30, ack_every: 8 }
  const times = { rtp_timestamp: 0, shown_kernel_ms: 0 }
  return { type: "packet", to: [VIEW], sequence: 1, codec: "H264", is_keyframe: true, ...times, ...size, ...changes }
}

/** WebRTC brings the picture, and packets have before. */
async function painting(set: Set): Promise<FakePeer> {
  await greeted(set)
  set.connection.receive(packet(), new Uint8Array(9))
  const peer = await opened(set)
  pong(peer)
  set.connection.arrived("webrtc", false)
  return peer
}

function pong(peer: FakePeer): void {
  peer.events.onMessage({ type: "pong", sent_ms: performance.now(), kernel_ms: performance.now() + 1000 })
}

async function answerPings(peer: FakePeer, time_ms: number): Promise<void> {
  for (let passed_ms = 0; passed_ms < time_ms; passed_ms += 200) {
    await pass(200)
    pong(peer)
  }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe("the first picture", () => {
  test("is asked for by comm at once, and a peer is formed behind it", async () => {
    const set = setUp()
    await greeted(set)
    const asked: CarryMessage = {
      type: "carry",
      view_id: VIEW,
      codecs: ["H264", "VP8", "JPEG"],
      is_watching: true,
    }
    expect([set.model.of("carry"), set.model.of("offer").length]).toEqual([[asked], 1])
    set.connection.close()
  })

  test("of a page that is not secure is of images, and no other codec is named", async () => {
    const set = setUp("auto", { is_secure: false })
    await greeted(set)
    expect(set.model.of("carry")[0]?.codecs).toEqual(["JPEG"])
    set.connection.close()
  })

  test("of a browser that knows none of the codecs is of images, and it says so", async () => {
    const set = setUp("auto", { video_codecs: [] })
    await greeted(set)
    expect(set.model.of("carry")[0]?.codecs).toEqual(["JPEG"])
    expect(set.connection.ladder.reasons().video).toBe(problems.NO_CODEC)
    set.connection.close()
  })

  test("makes the view live, whatever WebRTC does", async () => {
    const set = setUp()
    await greeted(set)
    expect(set.connection.phase).toBe("connecting")
    set.connection.receive(packet(), new Uint8Array(9))
    expect([set.connection.phase, set.connection.ladder.rung]).toEqual(["live", "video"])
    await pass(10_000)
    expect(set.connection.phase).toBe("live")
    set.connection.close()
  })

  test("is asked for again after 2, 4 and 8 s where the kernel is silent, with a greeting", async () => {
    const set = setUp("comm")
    await greeted(set)
    const counts = []
    for (const time_ms of [2500, 4500, 8500]) {
      await pass(time_ms)
      counts.push([set.carries().length, set.model.of("ready").length])
    }
    expect(counts).toEqual([
      [2, 2],
      [3, 3],
      [4, 4],
    ])
    set.connection.close()
  })
})

describe("a greeting that is answered twice", () => {
  test("asks for the same codecs, and forms one peer", async () => {
    const set = setUp()
    set.connection.start()
    set.hello()
    set.hello()
    await pass(0)
    expect([set.peers.length, set.connection.ladder.wants_video]).toEqual([1, true])
    expect(new Set(set.model.of("carry").map(({ codecs }) => codecs.join()))).toEqual(new Set(["H264,VP8,JPEG"]))
    set.connection.close()
  })
})

describe("moving to WebRTC", () => {
  test("waits for a frame of it, and then has the packets stand by", async () => {
    const set = setUp()
    await greeted(set)
    await opened(set)
    expect(set.carries()).toEqual([true])
    set.connection.arrived("webrtc", false)
    expect([set.carries(), set.connection.ladder.rung]).toEqual([[true, false], "webrtc"])
    set.connection.close()
  })

  test("happens where its frames come a little later than the packets, too", async () => {
    const set = setUp()
    await greeted(set)
    const peer = await opened(set)
    set.connection.arrived("webrtc", true)
    await answerPings(peer, 400)
    set.connection.arrived("webrtc", true)
    expect(set.carries()).toEqual([true])
    await answerPings(peer, 200)
    set.connection.arrived("webrtc", true)
    expect(set.carries()).toEqual([true, false])
    set.connection.close()
  })

  test("takes the calls that wait for an answer along", async () => {
    const set = setUp()
    await greeted(set)
    expect(set.connection.post({ type: "call", id: "a", name: "move", params: {} })).toBe("comm")
    const peer = await opened(set)
    expect(set.told.roads).toEqual(["channel"])
    expect(set.connection.post({ type: "call", id: "a", name: "move", params: {} })).toBe("channel")
    expect(peer.sent.filter(({ type }) => type === "call")).toHaveLength(1)
    set.connection.close()
  })

  test("makes packets that come unasked stand by again: the kernel had not heard this page", async () => {
    const set = setUp()
    const peer = await painting(set)
    set.connection.receive(packet({ sequence: 2 }), new Uint8Array(9))
    expect(set.carries()).toEqual([true, false])
    await answerPings(peer, 1200)
    set.connection.receive(packet({ sequence: 3 }), new Uint8Array(9))
    set.connection.receive(packet({ sequence: 4 }), new Uint8Array(9))
    expect(set.carries()).toEqual([true, false, false])
    set.connection.close()
  })
})

describe("a WebRTC that falls silent", () => {
  test("is stood in for within 1.6 s, and kept", async () => {
    const set = setUp()
    const peer = await painting(set)
    await answerPings(peer, 2000)
    await pass(1600)
    expect([set.carries().at(-1), peer.is_closed, set.connection.ladder.rung]).toEqual([true, false, "video"])
    expect(set.connection.phase).toBe("live")
    set.connection.close()
  })

  test("is not called by what the packets can bring", async () => {
    const set = setUp()
    await painting(set)
    await pass(1600)
    expect(set.told.roads).toEqual(["channel", "comm"])
    expect(set.connection.post({ type: "call", id: "a", name: "move", params: {} })).toBe("comm")
    set.connection.close()
  })

  test("is moved back to when it speaks and paints again", async () => {
    const set = setUp()
    const peer = await painting(set)
    await pass(1600)
    pong(peer)
    expect([set.carries().at(-1), set.told.roads.at(-1)]).toEqual([true, "channel"])
    set.connection.arrived("webrtc", false)
    expect([set.carries().at(-1), set.connection.ladder.rung]).toEqual([false, "webrtc"])
    set.connection.close()
  })

  test("is given up after 6 s and formed anew soon after, while packets bring the picture", async () => {
    const set = setUp()
    const peer = await painting(set)
    await pass(6400)
    expect([peer.is_closed, set.connection.phase, set.told.anew]).toEqual([true, "live", [false]])
    await pass(600)
    expect(set.peers).toHaveLength(2)
    set.connection.close()
  })

  test("is not noticed sooner than the page could hear: it was held up itself", async () => {
    const set = setUp()
    await painting(set)
    const held_up_ms = performance.now() + 5000
    vi.setSystemTime(Date.now() + 5000)
    vi.spyOn(performance, "now").mockImplementation(() => held_up_ms)
    await pass(400)
    expect(set.carries().at(-1)).toBe(false)
    vi.restoreAllMocks()
    set.connection.close()
  })
})

describe("a peer that forms slowly", () => {
  test("as on a machine that is busy, has its 8 s where no relay waits for its turn", async () => {
    const set = setUp()
    await greeted(set)
    const offer_id = set.model.of("offer")[0]?.offer_id ?? ""
    set.connection.receive({ type: "answer", view_id: VIEW, offer_id, sdp: "v=0\r\na=candidate:1" })
    await pass(7900)
    expect([set.peers.length, set.peers[0]?.is_closed]).toEqual([1, false])
    await pass(200)
    expect(set.peers[0]?.is_closed).toBe(true)
    set.connection.close()
  })
})

describe("relays", () => {
  test("are asked for when no pair formed within 4 s, and tried at once", async () => {
    const set = setUp()
    await greeted(set, { has_relay: true, ice_servers: [{ urls: "stun:open.example" }] })
    expect(set.peers[0]?.ice_servers).toEqual([{ urls: "stun:open.example" }])
    const offer_id = set.model.of("offer")[0]?.offer_id ?? ""
    set.connection.receive({ type: "answer", view_id: VIEW, offer_id, sdp: "v=0\r\na=candidate:1" })
    expect(set.model.of("servers")).toEqual([])
    await pass(4000)
    expect(set.model.of("servers")).toEqual([{ type: "servers", view_id: VIEW }])
    set.connection.receive({ type: "relays", view_id: VIEW, ice_servers: RELAYS })
    await pass(0)
    expect(set.peers[1]?.ice_servers).toEqual(RELAYS)
    set.connection.close()
  })

  test("are asked for where WebRTC is the only carrier, too", async () => {
    const set = setUp("webrtc")
    await greeted(set, { has_relay: true })
    set.peers[0]?.events.onLost("failed")
    await pass(100)
    set.hello({ has_relay: true })
    await pass(0)
    expect(set.model.of("servers")).toEqual([{ type: "servers", view_id: VIEW }])
    set.connection.receive({ type: "relays", view_id: VIEW, ice_servers: RELAYS })
    await pass(0)
    expect(set.peers[1]?.ice_servers).toEqual(RELAYS)
    set.connection.close()
  })

  test("that the kernel does not name hold nothing up", async () => {
    const set = setUp()
    await greeted(set, { has_relay: true })
    set.peers[0]?.events.onLost("failed")
    await pass(5000)
    expect([set.model.of("servers").length, set.peers.length]).toEqual([1, 2])
    set.connection.close()
  })

  test("are for the view that asked", async () => {
    const set = setUp()
    await greeted(set)
    set.connection.receive({ type: "relays", view_id: "view-2", ice_servers: RELAYS })
    expect(set.peers.map(({ ice_servers }) => ice_servers)).toEqual([[]])
    set.connection.close()
  })

  test("that are named late leave a peer alone that works meanwhile", async () => {
    const set = setUp()
    await greeted(set, { has_relay: true })
    set.peers[0]?.events.onLost("failed")
    await pass(5000)
    const peer = await opened(set)
    set.connection.arrived("webrtc", false)
    set.connection.receive({ type: "relays", view_id: VIEW, ice_servers: RELAYS })
    await pass(0)
    expect([peer.is_closed, set.peers.length, set.connection.ladder.rung]).toEqual([false, 2, "webrtc"])
    set.connection.close()
  })

  test("that are named while an attempt waits for its time are tried at once, and once", async () => {
    const set = setUp()
    await greeted(set, { has_relay: true })
    set.peers[0]?.events.onLost("failed")
    await pass(5000)
    set.peers[1]?.events.onLost("failed")
    set.connection.receive({ type: "relays", view_id: VIEW, ice_servers: RELAYS })
    await pass(0)
    expect(set.peers.slice(2).map(({ ice_servers }) => ice_servers)).toEqual([RELAYS])
    set.peers[2]?.events.onOpen()
    await pass(5000)
    expect(set.peers).toHaveLength(3)
    set.connection.close()
  })

  test("that do not help are told of, with what to look at", async () => {
    const set = setUp()
    await greeted(set, { has_relay: true })
    set.peers[0]?.events.onLost("failed")
    set.connection.receive({ type: "relays", view_id: VIEW, ice_servers: RELAYS })
    await pass(0)
    set.peers[1]?.events.onLost("failed")
    expect(set.connection.ladder.reasons().webrtc).toBe(problems.NOT_RELAYED)
    set.connection.close()
  })
})

describe("a view that nobody sees", () => {
  test("is sent nothing by comm, and has a keyframe when it is seen", async () => {
    const set = setUp("comm")
    await greeted(set)
    set.connection.receive(packet(), new Uint8Array(9))
    set.connection.watch(false)
    await pass(399)
    expect(set.carries()).toEqual([true])
    await pass(1)
    expect(set.carries()).toEqual([true, false])
    await pass(60_000)
    const pings = set.model.of("ping").length
    await pass(60_000)
    expect([set.carries().length, set.model.of("ping").length]).toEqual([2, pings])
    set.connection.watch(true)
    expect(set.carries()).toEqual([true, false, true])
    set.connection.close()
  })

  test("does not bring back the packets when WebRTC brought the picture", async () => {
    const set = setUp()
    const peer = await painting(set)
    set.connection.watch(false)
    await answerPings(peer, 1000)
    set.connection.watch(true)
    expect(set.carries()).toEqual([true, false])
    expect(peer.sent.flatMap((sent) => (sent.type === "watching" ? [sent.is_watching] : []))).toEqual([false, true])
    set.connection.close()
  })

  test("is seen again within a second where its channel broke meanwhile", async () => {
    const set = setUp()
    const peer = await painting(set)
    set.connection.watch(false)
    await answerPings(peer, 1000)
    await pass(3000)
    set.connection.watch(true)
    await pass(900)
    expect(set.carries().at(-1)).toBe(true)
    set.connection.close()
  })
})

describe("what else may happen", () => {
  test("a stream that begins anew is asked for anew by both carriers", async () => {
    const set = setUp()
    const peer = await painting(set)
    set.connection.receive({ type: "reconnect" })
    await pass(0)
    expect([peer.is_closed, set.carries().at(-1), set.peers.length]).toEqual([true, true, 2])
    expect([set.connection.phase, set.told.anew]).toEqual(["live", [true]])
    set.connection.close()
  })

  test("another choice of the author takes effect at once", async () => {
    const set = setUp()
    const peer = await painting(set)
    set.model.traits.carrier = "jpeg"
    set.connection.choose()
    set.hello()
    await pass(0)
    expect([peer.is_closed, set.model.of("carry").at(-1)?.codecs, set.peers.length]).toEqual([true, ["JPEG"], 1])
    set.connection.close()
  })

  test("a choice without packets has them stand by: none would be acknowledged", async () => {
    const set = setUp()
    await greeted(set)
    set.model.traits.carrier = "webrtc"
    set.connection.choose()
    expect(set.carries()).toEqual([true, false])
    set.connection.close()
  })

  test("a page that is shown again says nothing of having been left", async () => {
    const set = setUp()
    await greeted(set)
    set.connection.close("The page was left.")
    set.connection.start()
    expect([set.connection.phase, set.connection.problem]).toEqual(["greeting", null])
    set.connection.close()
  })

  test("a network that comes back is tried at once", async () => {
    const set = setUp()
    await greeted(set)
    set.peers[0]?.events.onLost("failed")
    await pass(1000)
    expect(set.peers).toHaveLength(1)
    set.connection.networkChanged()
    expect(set.peers).toHaveLength(2)
    set.connection.close()
  })

  test("a kernel that does not answer by comm is known to be busy, once it was asked", async () => {
    const set = setUp("comm")
    await greeted(set)
    set.connection.receive({ type: "pong", to: [VIEW], sent_ms: performance.now(), kernel_ms: 0 } as never)
    set.connection.receive(packet(), new Uint8Array(9))
    await pass(5)
    const pings = set.model.of("ping").length
    set.connection.post({ type: "call", id: "a", name: "move", params: {} })
    expect(set.model.of("ping").length).toBe(pings + 1)
    await pass(800)
    expect(set.connection.unanswered_ms(performance.now())).toBe(800)
    set.connection.close()
  })

  test("closing leaves no timer, and says so once", async () => {
    const set = setUp()
    await painting(set)
    set.connection.close()
    set.connection.close()
    expect([vi.getTimerCount(), set.model.of("bye").length, set.told.closed]).toEqual([0, 1, 1])
  })
})
