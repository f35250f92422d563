// What turns packets into pictures, as a port: one decoder for a codec.
import type { Picture } from "../painter/surface"
import type { PacketMessage } from "../protocol"

/** One encoded frame as it came. */
export interface Packet {
  message: PacketMessage
  bytes: Uint8Array<ArrayBuffer>
  /** By `performance.now()`. */
  received_ms: number
}

export interface DecoderEvents {
  /** The picture is the receiver's, who closes it. */
  onPicture(picture: Exclude<Picture, HTMLVideoElement>, packet: Packet): void
  /** Packets that will not be shown: newer ones came before their turn. */
  onSkipped(count: number): void
  /** Nothing more comes of this decoder. */
  onFailed(why: string): void
}

export interface Decoder {
  /** Packets of a chain must be given without a gap, from a keyframe on. */
  decode(packet: Packet): void
  /** How many packets are in it. */
  readonly backlog: number
  /** Gives nothing more, not even what is in it. Idempotent. */
  close(): void
}
