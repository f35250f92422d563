// What a page of one's own, a test or a measurement finds at a view's root element, as its property `reactor`.
import type { Figures } from "./measures"

export interface PaintedFrame {
  /** As its carrier numbers it; null where the browser does not tell. */
  rtp_timestamp: number | null
  drawn_ms: number
  latency_ms: number | null
}

export interface ReactorHandle {
  call(name: string, params?: Record<string, unknown>): Promise<unknown>
  stats(): Figures
  canvas: HTMLCanvasElement
  onframe: ((frame: PaintedFrame) => void) | null
  onmessage: ((data: unknown) => void) | null
}
