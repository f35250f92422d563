// The canvas that a painter draws to, and the account of what was drawn and skipped.

/** Smaller pictures are enlarged with hard pixel edges: a 64x64 model is looked at pixel by pixel. */
export const TINY_PX = 160

export interface Drawn {
  /** As the packet had it; null where the browser does not tell. */
  rtp_timestamp: number | null
  drawn_ms: number
}

export interface SurfaceEvents {
  onDrawn(drawn: Drawn): void
  onSkipped(count: number): void
  onSize(width_px: number, height_px: number): void
}

export class Surface {
  /** A picture that nobody sees is counted and not drawn. */
  is_visible = true
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

  draw(image: CanvasImageSource, width_px: number, height_px: number, rtp_timestamp: number | null): void {
    if (!this.is_visible) {
      this.skip(1)
      return
    }
    if (width_px === 0 || height_px === 0) return
    const { canvas } = this
    if (canvas.width !== width_px || canvas.height !== height_px) {
      canvas.width = width_px
      canvas.height = height_px
      this.#events.onSize(width_px, height_px)
    }
    this.#context.drawImage(image, 0, 0, width_px, height_px)
    this.#events.onDrawn({ rtp_timestamp, drawn_ms: performance.now() })
  }

  skip(count: number): void {
    if (count > 0) this.#events.onSkipped(count)
  }
}
