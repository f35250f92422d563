// The canvas that every carrier draws to, and the account of what was drawn and skipped.
import { Still } from "./still"
import { type CarrierKind, type Place, Timeline } from "./timeline"

/** Smaller pictures are enlarged with hard pixel edges: a 64x64 model is looked at pixel by pixel. */
export const TINY_PX = 160

/**
 * How frames come to the canvas. Of WebRTC: read from the track, with a Worker that stands by (relief.ts), or through a
 * video element. Of packets: by the browser's video decoder, or as images. "" before the first.
 */
export type Painter = "" | "track" | "track + worker" | "video" | "decoder" | "image"

/** A frame that the surface takes over: it closes it. A video element stays the painter's. */
export type Picture = VideoFrame | ImageBitmap | HTMLVideoElement

export interface Size {
  width_px: number
  height_px: number
}

/** Where a frame comes from and when it came, by `performance.now()`; null where the browser does not tell. */
export interface Arrival {
  carrier: CarrierKind
  painter: Painter
  /** As its carrier numbers it. */
  rtp_timestamp: number | null
  /** Its packets. */
  received_ms: number | null
  /** The frame, in the hands of its painter. */
  decoded_ms: number
  /** When the kernel's clock played it, where the carrier says so of each frame. */
  shown_kernel_ms?: number
  /** The size of the emitted frame and its codec, where the carrier says so of each frame. */
  emitted?: Size
  codec?: string
}

export interface Drawn extends Arrival {
  drawn_ms: number
  place: Place
}

export interface SurfaceEvents {
  onDrawn(drawn: Drawn): void
  onSkipped(count: number): void
  onSize(width_px: number, height_px: number): void
  /** A frame has come, and is drawn unless `is_older` than what is on the canvas. */
  onArrived(carrier: CarrierKind, is_older: boolean): void
}

/** Codecs take even sides from 16 px on: the kernel pads, and `real` says what of it is the picture. */
export function unpadded(padded_px: number, real_px: number | undefined): number {
  return real_px !== undefined && padded_px === Math.max(16, real_px + (real_px % 2)) ? real_px : padded_px
}

interface Missed {
  image: Picture
  width_px: number
  height_px: number
  arrival: Arrival
  place: Place
}

export class Surface {
  painter: Painter = ""
  readonly still = new Still((image) => this.#drawStill(image))
  readonly timeline = new Timeline()
  /** The size of the frames that WebRTC brings, as the kernel tells it; null until it has. */
  emitted: Size | null = null
  #is_visible = true
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
    if (missed !== null && this.still.admits(missed.place.stamp)) {
      const { image, width_px, height_px, arrival, place } = missed
      this.#paint(image, width_px, height_px, { ...arrival, rtp_timestamp: null }, place)
    }
    this.#forget()
    this.still.show()
  }

  /** Draws a frame, or keeps it where nobody looks; none that is older than what was drawn by another carrier. */
  draw(image: Picture, width_px: number, height_px: number, arrival: Arrival): void {
    if (width_px === 0 || height_px === 0) {
      close(image)
      return
    }
    const { carrier, rtp_timestamp, shown_kernel_ms } = arrival
    const place =
      shown_kernel_ms === undefined
        ? this.timeline.ofTrack(rtp_timestamp)
        : { stamp: rtp_timestamp === null ? null : rtp_timestamp >>> 0, shown_kernel_ms }
    const order = this.timeline.order(place, carrier, performance.now())
    this.#events.onArrived(carrier, order === "older")
    if (order === "older") this.skip(1)
    if (order !== "newer") {
      close(image)
      return
    }
    this.timeline.drawn(place, carrier, performance.now())
    if (this.#missed !== null) this.skip(1)
    this.#forget()
    if (!this.#is_visible) {
      this.#missed = { image, width_px, height_px, arrival, place }
      return
    }
    if (this.still.admits(place.stamp)) this.#paint(image, width_px, height_px, arrival, place)
    else this.#events.onDrawn({ ...arrival, place, drawn_ms: performance.now() })
    close(image)
  }

  /** A frame was drawn over the canvas, by the Worker that stands in for a main thread that was held up. */
  relieved(arrival: Arrival, drawn_ms: number): void {
    this.#events.onDrawn({ ...arrival, place: this.timeline.ofTrack(arrival.rtp_timestamp), drawn_ms })
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
    if (missed !== null) close(missed.image)
  }

  #paint(image: Picture, coded_width: number, coded_height: number, arrival: Arrival, place: Place): void {
    const real = arrival.emitted ?? this.emitted
    if (arrival.painter === "image" && real !== null) {
      // Where the road is narrow the kernel sends smaller images: the picture keeps its size.
      this.#fit(real.width_px, real.height_px)
      this.#context.drawImage(image, 0, 0, real.width_px, real.height_px)
    } else {
      const width_px = unpadded(coded_width, real?.width_px)
      const height_px = unpadded(coded_height, real?.height_px)
      this.#fit(width_px, height_px)
      this.#context.drawImage(image, 0, 0, width_px, height_px, 0, 0, width_px, height_px)
    }
    this.painter = arrival.painter
    this.#events.onDrawn({ ...arrival, place, drawn_ms: performance.now() })
  }

  #fit(width_px: number, height_px: number): void {
    const { canvas } = this
    if (canvas.width === width_px && canvas.height === height_px) return
    canvas.width = width_px
    canvas.height = height_px
    this.#events.onSize(width_px, height_px)
  }
}

function close(image: Picture): void {
  if (!(image instanceof HTMLElement)) image.close()
}
