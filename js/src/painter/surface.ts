// The canvas that a painter draws to, and the account of what was drawn and skipped.
import { Still } from "./still"

/** Smaller pictures are enlarged with hard pixel edges: a 64x64 model is looked at pixel by pixel. */
export const TINY_PX = 160

/** Where a frame comes from and when it came, by `performance.now()`; null where the browser does not tell. */
export interface Arrival {
  rtp_timestamp: number | null
  /** Its packets. */
  received_ms: number | null
  /** The frame, in the hands of its painter. */
  decoded_ms: number
}

export interface Drawn extends Arrival {
  drawn_ms: number
}

export interface SurfaceEvents {
  onDrawn(drawn: Drawn): void
  onSkipped(count: number): void
  onSize(width_px: number, height_px: number): void
}

export interface Size {
  width_px: number
  height_px: number
}

/** Codecs take even sides from 16 px on: the kernel pads, and `real` says what of it is the picture. */
export function unpadded(padded_px: number, real_px: number | undefined): number {
  return real_px !== undefined && padded_px === Math.max(16, real_px + (real_px % 2)) ? real_px : padded_px
}

interface Missed {
  image: VideoFrame | HTMLVideoElement
  width_px: number
  height_px: number
  arrival: Arrival
}

/**
 * How frames come to the canvas: read from the track, with a Worker that stands by (relief.ts), or through a video
 * element. "" before the first.
 */
export type Painter = "" | "track" | "track + worker" | "video"

export class Surface {
  painter: Painter = ""
  readonly still = new Still((image) => this.#drawStill(image))
  #is_visible = true
  /** The size of the emitted frame, as the kernel tells it; null until it has. */
  emitted: Size | null = null
  /** The newest frame that was not drawn: a model that rests sends no other when its view is seen again. */
  #missed: Missed | null = null
  readonly #context: CanvasRenderingContext2D
  readonly #events: SurfaceEvents

  constructor(
    readonly canvas: HTMLCanvasElement,
    events: SurfaceEvents,
  ) {
    const context = canvas.getContext("2d", { alpha: false })
    if (context === null) throw new Error("this browser gives no 2D canvas")
    this.#context = context
    this.#events = events
  }

  /** A picture that nobody sees is counted and not drawn, but for the newest, once it is seen. */
  get is_visible(): boolean {
    return this.#is_visible
  }

  set is_visible(is_visible: boolean) {
    this.#is_visible = is_visible
    const missed = this.#missed
    if (!is_visible) return
    // Without its timestamp: how long nobody looked is no latency.
    if (missed !== null && this.still.admits(missed.arrival.rtp_timestamp)) {
      this.#paint(missed.image, missed.width_px, missed.height_px, { ...missed.arrival, rtp_timestamp: null })
    }
    this.#forget()
    this.still.show()
  }

  /** The image stays the caller's, who may close it after this. */
  draw(image: VideoFrame | HTMLVideoElement, width_px: number, height_px: number, arrival: Arrival): void {
    if (width_px === 0 || height_px === 0) return
    if (this.#missed !== null) this.skip(1)
    this.#forget()
    if (!this.#is_visible) {
      this.#missed = { image: image instanceof HTMLElement ? image : image.clone(), width_px, height_px, arrival }
    } else if (this.still.admits(arrival.rtp_timestamp)) this.#paint(image, width_px, height_px, arrival)
    else this.#events.onDrawn({ ...arrival, drawn_ms: performance.now() })
  }

  /** A frame was drawn over the canvas, by the Worker that stands in for a main thread that was held up. */
  relieved(drawn: Drawn): void {
    this.#events.onDrawn(drawn)
  }

  skip(count: number): void {
    if (count > 0) this.#events.onSkipped(count)
  }

  close(): void {
    this.#forget()
    this.still.reset()
  }

  #drawStill(image: ImageBitmap): void {
    if (!this.#is_visible) return // it is shown when it is seen
    this.#fit(image.width, image.height)
    this.#context.drawImage(image, 0, 0)
  }

  #forget(): void {
    const missed = this.#missed
    this.#missed = null
    if (missed !== null && !(missed.image instanceof HTMLElement)) missed.image.close()
  }

  #paint(image: CanvasImageSource, coded_width: number, coded_height: number, arrival: Arrival): void {
    const width_px = unpadded(coded_width, this.emitted?.width_px)
    const height_px = unpadded(coded_height, this.emitted?.height_px)
    this.#fit(width_px, height_px)
    this.#context.drawImage(image, 0, 0, width_px, height_px, 0, 0, width_px, height_px)
    this.#events.onDrawn({ ...arrival, drawn_ms: performance.now() })
  }

  #fit(width_px: number, height_px: number): void {
    const { canvas } = this
    if (canvas.width === width_px && canvas.height === height_px) return
    canvas.width = width_px
    canvas.height = height_px
    this.#events.onSize(width_px, height_px)
  }
}
