import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { Acks } from "../src/carriers/acks"
import { bytesOf } from "../src/carriers/buffers"
import { CommCarrier } from "../src/carriers/comm"
import type { DecoderEvents, Packet } from "../src/decoders/decoder"
import { codecOf } from "../src/decoders/video"
import type { PacketMessage, PageToKernel } from "../src/protocol"
import { fakeSurface } from "./fakes"

const BYTES = new Uint8Array(100)

class FakeDecoder {
  given: Packet[] = []
  backlog = 0
  is_closed = false

  constructor(
    readonly codec: string,
    readonly events: DecoderEvents,
  ) {}

  decode(packet: Packet): void {
    this.given.push(packet)
  }

  close(): void {
    this.is_closed = true
  }
}

function setUp() {
  const sent: PageToKernel[] = []
  const decoders: FakeDecoder[] = []
  const failed: string[] = []
  const comm = new CommCarrier(
    "mine",
    fakeSurface(),
    (message) => {
      sent.push(message)
      return true
    },
    { onPacket: () => undefined, onCodecFailed: (codec, why) => failed.push(`${codec}: ${why}`) },
    (codec, events) => {
      decoders.push(new FakeDecoder(codec, events))
      return decoders.at(-1) as FakeDecoder
    },
  )
  const receive = (sequence: number, changes: Partial<PacketMessage> = {}) =>
    comm.receive({ ...packet(sequence), ...changes }, BYTES)
  const sequences = () => decoders.flatMap(({ given }) => given.map(({ message }) => message.sequence))
  const of = (type: string) => sent.filter((message) => message.type === type)
  return { comm, decoders, failed, receive, sequences, of }
}

function packet(sequence: number): PacketMessage {
  return {
    type: "packet",
    to: ["mine"],
    sequence,
    codec: "H264",
    is_keyframe: sequence === 1,
    rtp_timestamp: sequence * 3000,
    shown_kernel_ms: sequence * 33,
    width_px: 640,
    height_px: 480,
    rate_fps: 30,
    ack_every: 4,
  }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe("acknowledging", () => {
  test("comes after as many packets as the kernel wants, and says the newest", () => {
    const acked: number[] = []
    const acks = new Acks((sequence) => acked.push(sequence))
    for (let sequence = 1; sequence <= 9; sequence += 1) acks.add(sequence, 4)
    expect(acked).toEqual([4, 8])
    acks.close()
  })

  test("comes within 250 ms of a packet, however few they are", async () => {
    const acked: number[] = []
    const acks = new Acks((sequence) => acked.push(sequence))
    acks.add(1, 30)
    await vi.advanceTimersByTimeAsync(200)
    acks.add(2, 30)
    await vi.advanceTimersByTimeAsync(49)
    expect(acked).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(acked).toEqual([2])
    await vi.advanceTimersByTimeAsync(1000)
    expect([acked, vi.getTimerCount()]).toEqual([[2], 0])
  })
})

describe("packets by comm", () => {
  test("of a whole chain are decoded in order", () => {
    const { receive, sequences, of } = setUp()
    for (const sequence of [1, 2, 3]) receive(sequence)
    expect([sequences(), of("keyframe")]).toEqual([[1, 2, 3], []])
  })

  test("after a gap wait for a keyframe, which is asked for once in a while", async () => {
    const { receive, sequences, of } = setUp()
    receive(1)
    for (const sequence of [3, 4, 5]) receive(sequence)
    expect([sequences(), of("keyframe")]).toEqual([[1], [{ type: "keyframe", view_id: "mine" }]])
    await vi.advanceTimersByTimeAsync(600)
    receive(6)
    expect(of("keyframe")).toHaveLength(2)
    receive(7, { is_keyframe: true })
    receive(8)
    expect(sequences()).toEqual([1, 7, 8])
  })

  test("that begin in the middle of a chain wait for a keyframe", () => {
    const { receive, sequences, of } = setUp()
    receive(17)
    expect([sequences(), of("keyframe").length]).toEqual([[], 1])
  })

  test("of images need no chain", () => {
    const { receive, sequences, of } = setUp()
    for (const sequence of [4, 9, 11]) receive(sequence, { codec: "JPEG", is_keyframe: true })
    expect([sequences(), of("keyframe")]).toEqual([[4, 9, 11], []])
  })

  test("for other views are acknowledged and not decoded", () => {
    const { receive, sequences, of, decoders } = setUp()
    for (const sequence of [1, 2, 3, 4]) receive(sequence, { to: ["another"] })
    expect([sequences(), decoders, of("ack")]).toEqual([[], [], [{ type: "ack", view_id: "mine", sequence: 4 }]])
  })

  test("of another codec go to another decoder", () => {
    const { receive, decoders } = setUp()
    receive(1)
    receive(2, { codec: "VP8", is_keyframe: true })
    expect(decoders.map(({ codec, is_closed }) => [codec, is_closed])).toEqual([
      ["H264", true],
      ["VP8", false],
    ])
  })

  test("are not acknowledged while the decoder is behind: the kernel is to send fewer", () => {
    const { receive, decoders, of } = setUp()
    receive(1, { ack_every: 1 })
    const decoder = decoders[0] as FakeDecoder
    decoder.backlog = 4
    receive(2, { ack_every: 1 })
    expect(of("ack")).toHaveLength(1)
    decoder.backlog = 3
    vi.stubGlobal("ImageBitmap", class {})
    const frame = { displayWidth: 640, displayHeight: 480, close: () => undefined } as unknown as VideoFrame
    vi.stubGlobal("HTMLElement", class {})
    decoder.events.onPicture(frame, decoder.given[0] as Packet)
    vi.unstubAllGlobals()
    expect(of("ack").at(-1)).toMatchObject({ sequence: 2 })
  })

  test("a decoder that failed once begins again with a keyframe; one that fails always is given up", () => {
    const { receive, decoders, failed, of } = setUp()
    for (let failure = 1; failure <= 3; failure += 1) {
      receive(failure * 10, { is_keyframe: true })
      decoders.at(-1)?.events.onFailed("it broke")
    }
    expect([decoders.length, of("keyframe").length, failed]).toEqual([3, 2, ["H264: it broke"]])
  })

  test("that a failed decoder held back are acknowledged: the kernel need not wait for it", () => {
    const { receive, decoders, of } = setUp()
    receive(1, { ack_every: 1 })
    const decoder = decoders[0] as FakeDecoder
    decoder.backlog = 4
    receive(2, { ack_every: 1 })
    decoder.events.onFailed("it broke")
    expect(of("ack").at(-1)).toMatchObject({ sequence: 2 })
  })

  test("decoders that a browser takes away now and then are no failure", async () => {
    const { receive, decoders, failed } = setUp()
    for (let failure = 1; failure <= 6; failure += 1) {
      receive(failure * 10, { is_keyframe: true })
      decoders.at(-1)?.events.onFailed("reclaimed")
      await vi.advanceTimersByTimeAsync(20_000)
    }
    expect(failed).toEqual([])
  })

  test("a decoder that gives nothing for 2 s is stuck", async () => {
    const { receive, decoders, of } = setUp()
    receive(1)
    const decoder = decoders[0] as FakeDecoder
    for (let sequence = 2; sequence < 30; sequence += 1) {
      decoder.backlog += 1
      await vi.advanceTimersByTimeAsync(100)
      receive(sequence)
    }
    expect([decoder.is_closed, of("keyframe").length > 0]).toEqual([true, true])
  })

  test("after a reset leave nothing behind", () => {
    const { comm, receive, decoders } = setUp()
    receive(1)
    comm.reset()
    expect([decoders[0]?.is_closed, vi.getTimerCount()]).toEqual([true, 0])
  })
})

describe("the codec that the browser is told", () => {
  test("of H.264 is the profile and level of the stream", () => {
    const keyframe = Uint8Array.from([0, 0, 0, 1, 9, 16, 0, 0, 0, 1, 0x67, 0xf4, 0x00, 0x1f, 1, 2, 3, 4])
    expect(codecOf("H264-444", keyframe)).toBe("avc1.f4001f")
  })

  test("of H.264 without parameters is the one that the page was asked about", () => {
    expect(codecOf("H264", Uint8Array.from([0, 0, 1, 0x65, 1, 2, 3, 4, 5, 6]))).toBe("avc1.42E02A")
  })

  test("of VP8 has no more to say", () => {
    expect(codecOf("VP8", BYTES)).toBe("vp8")
  })
})

describe("the bytes beside a message", () => {
  test("come as front ends give them", () => {
    const memory = Uint8Array.from([9, 1, 2, 3]).buffer
    const forms = [[new DataView(memory, 1)], [new Uint8Array(memory, 1)], [memory.slice(1)]]
    for (const buffers of forms) expect([...(bytesOf(buffers) ?? [])]).toEqual([1, 2, 3])
  })

  test("may be missing", () => {
    for (const buffers of [undefined, [], ["text"], null]) expect(bytesOf(buffers)).toBeNull()
  })
})
