// Exact stills: what stands still arrives once more without loss, and is drawn over the decoded frame that shows it.
import type { Road } from "../calls"
import type { StillMessage } from "../protocol"

/** This many frames past the still, its picture is not coming back. */
const FORGET_AFTER_FRAMES = 30

interface Held {
  still_id: number
  /** How its bytes come: while carriers change, each may bring it. */
  road: Road
  /** Frames up to this timestamp show the same; null where the kernel does not know its timestamps. */
  until: number | null
  bytes: Uint8Array<ArrayBuffer>
  received: number
  image: ImageBitmap | null
}

/**
 * The newest still of one view, from its pieces to the canvas.
 *
 * The kernel announces a still by a `still` message, then sends its PNG in binary pieces. When it encodes the same
 * picture once more (a view has joined, or the model emits it again), it says so by a `still` of the same id with 0
 * bytes: frames up to that timestamp are then not drawn over the still.
 */
export class Still {
  #held: Held | null = null
  #newest: number | null = null
  #is_shown = false
  #passed = 0
  readonly #draw: (image: ImageBitmap) => void

  constructor(draw: (image: ImageBitmap) => void) {
    this.#draw = draw
  }

  announce({ still_id, bytes, rtp_timestamp }: StillMessage, road: Road = "channel"): void {
    const held = this.#held
    // Whole by the one road, it needs not come by the other.
    if (held?.still_id === still_id && (bytes === 0 || held.image !== null)) {
      held.until = rtp_timestamp
      this.show()
    } else if (bytes > 0) {
      this.close()
      this.#held = { still_id, road, until: rtp_timestamp, bytes: new Uint8Array(bytes), received: 0, image: null }
    }
  }

  /** The next bytes of the still that was announced last by this road. */
  async add(piece: ArrayBuffer, road: Road = "channel"): Promise<void> {
    const held = this.#held
    if (held === null || held.road !== road || held.received + piece.byteLength > held.bytes.length) return
    held.bytes.set(new Uint8Array(piece), held.received)
    held.received += piece.byteLength
    if (held.received < held.bytes.length) return
    const png = new Blob([held.bytes], { type: "image/png" })
    held.bytes = new Uint8Array()
    const image = await createImageBitmap(png, { colorSpaceConversion: "none", premultiplyAlpha: "none" })
    if (this.#held !== held) {
      image.close()
      return
    }
    held.image = image
    this.show()
  }

  /** Whether a decoded frame is to be drawn. Not, if the still is on the canvas and shows the same. */
  admits(rtp_timestamp: number | null): boolean {
    const lead = this.#lead(rtp_timestamp)
    if (this.#is_shown && lead !== null && lead <= 0) return false
    this.#newest = rtp_timestamp
    this.#is_shown = false
    if (lead !== null && lead > 0) this.#passed += 1
    if (this.#passed > FORGET_AFTER_FRAMES) this.close()
    return true
  }

  /** Draws the still, if there is one and no newer picture was drawn. */
  show(): void {
    const image = this.#held?.image
    if (!image || (this.#lead(this.#newest) ?? 0) > 0) return
    this.#is_shown = true
    this.#passed = 0
    this.#draw(image)
  }

  /** Forgets the still. Another connection or another canvas may follow. */
  close(): void {
    this.#held?.image?.close()
    this.#held = null
    this.#is_shown = false
    this.#passed = 0
  }

  /** The carrier of a still has ended: what has not come of it yet does not come any more. */
  interrupted(): void {
    if (this.#held?.image === null) this.close()
  }

  /** Forgets what was drawn: the timestamps of another connection begin anywhere. */
  reset(): void {
    this.close()
    this.#newest = null
  }

  /** How far a frame is past the still; null where timestamps are missing. They are 32 bits and wrap. */
  #lead(rtp_timestamp: number | null): number | null {
    const until = this.#held?.until ?? null
    return rtp_timestamp === null || until === null ? null : (rtp_timestamp - until) | 0
  }
}
