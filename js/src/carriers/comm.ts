// Brings the picture by the notebook's own connection: packets of the widget's comm, one to a frame, to the canvas.
import type { Decoder, DecoderEvents, Packet } from "../decoders/decoder"
import { ImageFrames } from "../decoders/image"
import { VideoFrames } from "../decoders/video"
import type { Surface } from "../painter/surface"
import type { PacketMessage, PageToKernel, StillPieceMessage } from "../protocol"
import { Acks } from "./acks"

/** Images: each frame stands alone, and every page can show it. */
export const IMAGES = "JPEG"

/** A decoder with more in it than this is behind: the kernel is not told that it may send more. */
const FULL_PACKETS = 3
/** A decoder that gave nothing for so long, with packets in it, gives nothing any more. */
const STUCK_MS = 2000
/** A codec that failed so often, so soon, is not asked for again; once in a while a browser takes a decoder away. */
const MOST_FAILURES = 3
const SOON_MS = 30_000
const ASK_AGAIN_MS = 500

export interface CommEvents {
  /** A packet for this view, whoever asked for it. */
  onPacket(codec: string): void
  /** The page does not decode this codec after all. */
  onCodecFailed(codec: string, why: string): void
}

/** What makes the decoders; tests put fakes here. */
export type DecoderMaker = (codec: string, events: DecoderEvents) => Decoder

export function makeDecoder(codec: string, events: DecoderEvents): Decoder {
  return codec === IMAGES ? new ImageFrames(events) : new VideoFrames(events)
}

/**
 * Takes packets that come by comm.
 *
 * Jupyter sends each packet to every View in every page: those that are not meant for this one are acknowledged as well,
 * as they weigh on its road, and go no further.
 */
export class CommCarrier {
  /** Of the encoded frames for this view. */
  received_bytes = 0
  readonly #acks: Acks
  #decoder: Decoder | null = null
  #codec = ""
  /** The packet that must come next for a chain to hold; null: only a keyframe will do. */
  #next_sequence: number | null = null
  #asked_ms = Number.NEGATIVE_INFINITY
  #output_ms = 0
  /** The newest packet that was not acknowledged, as the decoder is behind. */
  #held: PacketMessage | null = null
  readonly #failed_ms = new Map<string, number[]>()

  /** `tell` brings a message to the kernel by the widget's comm. */
  constructor(
    readonly view_id: string,
    readonly surface: Surface,
    readonly tell: (message: PageToKernel) => boolean,
    readonly events: CommEvents,
    readonly make: DecoderMaker = makeDecoder,
  ) {
    this.#acks = new Acks((sequence) => tell({ type: "ack", view_id, sequence }))
  }

  receive(message: PacketMessage, bytes: Uint8Array<ArrayBuffer>): void {
    const received_ms = performance.now()
    if (!message.to.includes(this.view_id)) {
      this.#acks.add(message.sequence, message.ack_every)
      return
    }
    this.received_bytes += bytes.length
    this.events.onPacket(message.codec)
    const packet = { message, bytes, received_ms }
    if (this.#follows(message)) this.#decode(packet)
    else this.surface.skip(1)
    if ((this.#decoder?.backlog ?? 0) > FULL_PACKETS) this.#held = message
    else this.#acks.add(message.sequence, message.ack_every)
  }

  /** A piece of a still came, for this view or for another: it weighs on the road as packets do. */
  heard(piece: StillPieceMessage): void {
    this.#acks.add(piece.sequence, piece.ack_every)
  }

  /** Drops what is on its way. Packets that come after this begin with a keyframe. */
  reset(): void {
    this.#acks.close()
    this.#decoder?.close()
    this.#decoder = null
    this.#codec = ""
    this.#next_sequence = null
    this.#held = null
  }

  /** Whether the chain of frames has no gap here; else a keyframe is asked for. */
  #follows({ sequence, codec, is_keyframe }: PacketMessage): boolean {
    const is_next = codec === this.#codec && sequence === this.#next_sequence
    if (is_keyframe || codec === IMAGES || is_next) {
      this.#next_sequence = sequence + 1
      return true
    }
    this.#next_sequence = null
    const now_ms = performance.now()
    if (now_ms - this.#asked_ms > ASK_AGAIN_MS) {
      this.#asked_ms = now_ms
      this.tell({ type: "keyframe", view_id: this.view_id })
    }
    return false
  }

  #decode(packet: Packet): void {
    const { codec } = packet.message
    if (this.#decoder === null || codec !== this.#codec) this.#open(codec)
    if (this.#decoder?.backlog === 0) this.#output_ms = packet.received_ms
    this.#decoder?.decode(packet)
    if ((this.#decoder?.backlog ?? 0) > 0 && packet.received_ms - this.#output_ms > STUCK_MS) {
      this.#failed(codec, `it gave no picture for ${STUCK_MS / 1000} s`)
    }
  }

  #open(codec: string): void {
    this.#decoder?.close()
    this.#codec = codec
    try {
      this.#decoder = this.make(codec, {
        onPicture: (picture, packet) => this.#draw(picture, packet),
        onSkipped: (count) => this.surface.skip(count),
        onFailed: (why) => this.#failed(codec, why),
      })
    } catch (cause) {
      this.#failed(codec, String(cause))
    }
  }

  #draw(picture: VideoFrame | ImageBitmap, { message, received_ms }: Packet): void {
    const is_image = message.codec === IMAGES
    const width_px = picture instanceof ImageBitmap ? picture.width : picture.displayWidth
    const height_px = picture instanceof ImageBitmap ? picture.height : picture.displayHeight
    this.#output_ms = performance.now()
    if (this.#held !== null && (this.#decoder?.backlog ?? 0) <= FULL_PACKETS) {
      this.#acks.add(this.#held.sequence, 1)
      this.#held = null
    }
    this.surface.draw(picture, width_px, height_px, {
      carrier: "comm",
      painter: is_image ? "image" : "decoder",
      rtp_timestamp: message.rtp_timestamp,
      shown_kernel_ms: message.shown_kernel_ms,
      emitted: message,
      codec: message.codec,
      received_ms,
      decoded_ms: this.#output_ms,
    })
  }

  #failed(codec: string, why: string): void {
    this.#decoder?.close()
    this.#decoder = null
    this.#next_sequence = null
    // Else the kernel waits for a word of a decoder that is no more.
    if (this.#held !== null) this.#acks.add(this.#held.sequence, 1)
    this.#held = null
    const now_ms = performance.now()
    const failed_ms = [...(this.#failed_ms.get(codec) ?? []), now_ms].filter((at_ms) => now_ms - at_ms < SOON_MS)
    this.#failed_ms.set(codec, failed_ms)
    if (failed_ms.length >= MOST_FAILURES) this.events.onCodecFailed(codec, why)
    else this.tell({ type: "keyframe", view_id: this.view_id })
  }
}
