// Images, one to a frame: every browser decodes them, on any page. The newest wins where decoding falls behind.
import type { Decoder, DecoderEvents, Packet } from "./decoder"

export class ImageFrames implements Decoder {
  readonly #events: DecoderEvents
  #is_decoding = false
  #waiting: Packet | null = null
  #is_closed = false

  constructor(events: DecoderEvents) {
    this.#events = events
  }

  get backlog(): number {
    return Number(this.#is_decoding) + Number(this.#waiting !== null)
  }

  decode(packet: Packet): void {
    if (this.#is_closed) return
    if (this.#waiting !== null) this.#events.onSkipped(1)
    this.#waiting = packet
    if (!this.#is_decoding) void this.#decodeWaiting()
  }

  close(): void {
    this.#is_closed = true
    this.#waiting = null
  }

  async #decodeWaiting(): Promise<void> {
    this.#is_decoding = true
    try {
      while (this.#waiting !== null) {
        const packet = this.#waiting
        this.#waiting = null
        // The kernel's encoder says nothing of a colour profile, and none is to be guessed.
        const picture = await createImageBitmap(new Blob([packet.bytes]), { colorSpaceConversion: "none" })
        if (this.#is_closed) picture.close()
        else this.#events.onPicture(picture, packet)
      }
    } catch (cause) {
      if (!this.#is_closed) this.#events.onFailed(String(cause))
    } finally {
      this.#is_decoding = false
    }
  }
}
