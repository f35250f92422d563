// Video by the browser's own decoder (WebCodecs), which only secure contexts have.
import type { Decoder, DecoderEvents, Packet } from "./decoder"

/** The kernel's name of a codec, and one that says to the browser what the kernel may send under it. */
const CODECS: Record<string, string> = {
  // 4:4:4 first: the kernel takes it where the quality asks for it, and passes it over elsewhere.
  "H264-444": "avc1.F4002A",
  H264: "avc1.42E02A",
  VP8: "vp8",
}

/** BT.601 in the limited range, which the kernel's encoders write. VP8 has no room to say so. */
const COLOUR: VideoColorSpaceInit = {
  primaries: "smpte170m",
  transfer: "smpte170m",
  matrix: "smpte170m",
  fullRange: false,
}

/** A browser whose graphics process hangs may never say what it decodes. */
const ANSWER_MS = 1000

/** Which of the kernel's video codecs this page decodes, best first. */
export async function supportedCodecs(): Promise<string[]> {
  if (typeof VideoDecoder === "undefined") return []
  const answers = await Promise.all(
    Object.entries(CODECS).map(async ([name, codec]) => {
      try {
        const asked = VideoDecoder.isConfigSupported({ codec, optimizeForLatency: true })
        const late = new Promise<null>((resolve) => setTimeout(resolve, ANSWER_MS, null))
        return (await Promise.race([asked, late]))?.supported === true ? [name] : []
      } catch {
        return [] // a browser that does not know the name
      }
    }),
  )
  return answers.flat()
}

/** H.264 with its profile and level as its sequence parameters say them, in the first bytes of a keyframe. */
export function codecOf(name: string, keyframe: Uint8Array): string {
  const known = CODECS[name] ?? name
  if (!name.startsWith("H264")) return known
  for (let at = 0; at + 6 < keyframe.length; at += 1) {
    const is_start = keyframe[at] === 0 && keyframe[at + 1] === 0 && keyframe[at + 2] === 1
    if (!is_start || ((keyframe[at + 3] ?? 0) & 0x1f) !== 7) continue
    const bytes = [...keyframe.subarray(at + 4, at + 7)]
    return `avc1.${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`
  }
  return known
}

export class VideoFrames implements Decoder {
  readonly #events: DecoderEvents
  readonly #decoder: VideoDecoder
  /** What is in the decoder, by the timestamp that it was given. */
  readonly #inside = new Map<number, Packet>()
  #config = ""
  #next_us = 0

  constructor(events: DecoderEvents) {
    this.#events = events
    this.#decoder = new VideoDecoder({
      output: (frame) => this.#output(frame),
      error: (cause) => events.onFailed(cause.message),
    })
  }

  get backlog(): number {
    return this.#inside.size
  }

  decode(packet: Packet): void {
    const { message, bytes } = packet
    if (this.#decoder.state === "closed") return
    try {
      if (message.is_keyframe) this.#configure(packet)
      // Of its own: a frame that is encoded again has the timestamp that it had.
      const timestamp = this.#next_us
      this.#next_us += 1000
      this.#inside.set(timestamp, packet)
      const type = message.is_keyframe ? "key" : "delta"
      this.#decoder.decode(new EncodedVideoChunk({ type, timestamp, data: bytes }))
    } catch (cause) {
      this.#events.onFailed(String(cause))
    }
  }

  close(): void {
    this.#inside.clear()
    if (this.#decoder.state !== "closed") this.#decoder.close()
  }

  /** Anew for another profile or size only: it forgets what is in the decoder. */
  #configure({ message, bytes }: Packet): void {
    const codec = codecOf(message.codec, bytes)
    const config = `${codec} ${message.width_px}x${message.height_px}`
    if (config === this.#config) return
    if (this.#inside.size > 0) this.#events.onSkipped(this.#inside.size)
    this.#inside.clear()
    if (this.#config !== "") this.#decoder.reset()
    this.#config = config
    const colorSpace = codec === "vp8" ? { colorSpace: COLOUR } : {}
    this.#decoder.configure({ codec, optimizeForLatency: true, ...colorSpace })
  }

  #output(frame: VideoFrame): void {
    const packet = this.#inside.get(frame.timestamp)
    if (packet === undefined) {
      frame.close()
      return
    }
    // The decoder gives no frame of before any more: one that it dropped is not waited for.
    for (const [timestamp] of this.#inside) {
      if (timestamp > frame.timestamp) break
      this.#inside.delete(timestamp)
      if (timestamp < frame.timestamp) this.#events.onSkipped(1)
    }
    this.#events.onPicture(frame, packet)
  }
}
