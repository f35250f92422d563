// Keeps one view connected: greets the kernel until it answers, tries WebRTC, and starts over when it is lost.
import { Backoff } from "./backoff"
import type { Road } from "./calls"
import type { PeerMaker } from "./carriers/peer"
import { WebRtcCarrier } from "./carriers/webrtc"
import { KernelClock } from "./clock"
import type { ModelPort } from "./model"
import * as problems from "./problems"
import { type KernelToPage, type PageToKernel, PROTOCOL_VERSION } from "./protocol"

const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 8_000
/** Scrolling past a picture and back is not worth a keyframe. */
const LOOK_AWAY_MS = 400

/**
 * greeting: no hello yet · connecting: a peer is being formed · live: the data channel is open · waiting: until the
 * next attempt · closed: for good.
 */
export type Phase = "greeting" | "connecting" | "live" | "waiting" | "closed"

export interface ConnectionEvents {
  onTrack(track: MediaStreamTrack, signal: AbortSignal): void
  onMessage(message: KernelToPage): void
  /** Bytes of what the last `still` message announced. */
  onPiece(piece: ArrayBuffer): void
  /** The phase or the problem changed. */
  onChange(): void
  onLost(): void
}

export class Connection {
  readonly clock = new KernelClock()
  /** From `emit_block` until the kernel's clock plays a frame, of late: part of a frame's age before it is sent. */
  wait_ms = 0
  phase: Phase = "greeting"
  /** One sentence on why there is no picture, until there is one. */
  problem: string | null = null
  greetings = 0
  was_live = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #is_watching = true
  /** What the kernel was told; a new peer is sent the picture until it is told otherwise. */
  #told_watching = true
  #look_away: ReturnType<typeof setTimeout> | undefined
  readonly #webrtc: WebRtcCarrier
  readonly #retry = new Backoff(FIRST_RETRY_MS, LONGEST_RETRY_MS)

  constructor(
    readonly view_id: string,
    readonly model: ModelPort,
    makePeer: PeerMaker,
    readonly events: ConnectionEvents,
    readonly page: { hostname: string; is_secure: boolean; has_webrtc: boolean },
  ) {
    this.#webrtc = new WebRtcCarrier(view_id, page.hostname, this.clock, makePeer, (message) => this.#tell(message), {
      onTrack: (track, signal) => events.onTrack(track, signal),
      onOpen: () => this.#opened(),
      onMessage: (message) => this.#receiveByChannel(message),
      onPiece: (piece) => events.onPiece(piece),
      onFailed: (problem) => this.#failed(problem),
    })
  }

  start(): void {
    if (!this.page.has_webrtc) {
      this.#move("closed", problems.NO_WEBRTC)
      return
    }
    this.#retry.reset()
    this.greetings = 0
    this.#greet()
  }

  /** A message that came by the widget's comm. */
  receive(message: KernelToPage): void {
    if ("view_id" in message && message.view_id !== this.view_id) return
    if (message.type === "hello") {
      if (this.phase !== "greeting") return
      if (message.protocol !== PROTOCOL_VERSION) this.close(problems.OTHER_VERSION)
      else this.#connect(message.ice_servers)
    } else if (message.type === "answer") {
      if (this.phase === "connecting") void this.#webrtc.accept(message)
    } else if (message.type === "refused") this.#webrtc.refuse(message)
    else if (message.type === "reconnect") this.#again()
    else this.events.onMessage(message)
  }

  /** Whether somebody can see the picture: what nobody sees is not sent. */
  watch(is_watching: boolean): void {
    this.#is_watching = is_watching
    clearTimeout(this.#look_away)
    if (is_watching) this.#tellWatching()
    else this.#look_away = setTimeout(() => this.#tellWatching(), LOOK_AWAY_MS)
  }

  /** Mean time from a frame's packets to the decoded frame since the last call, in milliseconds. */
  receiveDelay(): Promise<number | null> {
    return this.#webrtc.receiveDelay()
  }

  /** By the best road that is open now, and which that was. Throws where there is none: the kernel has ended. */
  post(message: PageToKernel): Road {
    if (this.send(message)) return "channel"
    this.model.send(message)
    return "comm"
  }

  /** By the data channel; false when it is not open. */
  send(message: PageToKernel): boolean {
    return this.phase === "live" && this.#webrtc.send(message)
  }

  /** Ends the peer and tells the kernel. The connection may be started again. */
  close(problem: string | null = null): void {
    if (this.phase === "closed") return
    clearTimeout(this.#look_away)
    this.#drop()
    this.#tell({ type: "bye", view_id: this.view_id })
    this.#move("closed", problem)
  }

  #greet(): void {
    this.#move("greeting", this.problem)
    if (
      !this.#tell({
        type: "ready",
        view_id: this.view_id,
        hostname: this.page.hostname,
        is_secure: this.page.is_secure,
      })
    ) {
      this.#drop()
      this.#move("closed", problems.KERNEL_GONE)
      return
    }
    this.greetings += 1
    this.#after(this.#retry.next(), () => this.#greet())
    if (this.greetings > 1) this.events.onChange()
  }

  #connect(ice_servers: RTCIceServer[]): void {
    this.#drop()
    this.#move("connecting", this.problem)
    void this.#webrtc.connect(ice_servers)
  }

  #opened(): void {
    this.#retry.reset()
    this.greetings = 0
    this.was_live = true
    this.clock.reset()
    this.#move("live", null)
    this.#told_watching = true
    if (!this.#is_watching) this.#tellWatching()
  }

  #tellWatching(): void {
    const is_watching = this.#is_watching
    if (this.#told_watching !== is_watching && this.send({ type: "watching", is_watching })) {
      this.#told_watching = is_watching
    }
  }

  /** The kernel says that the other end of this connection is gone: what would end by a silence ends now. */
  #again(): void {
    if (this.phase === "closed") return
    this.#drop()
    this.events.onLost()
    this.#retry.reset()
    this.#move("waiting", problems.STREAM_RESTARTED)
    this.#greet()
  }

  #receiveByChannel(message: KernelToPage): void {
    if (message.type === "pong") this.wait_ms = message.wait_ms ?? 0
    else this.events.onMessage(message)
  }

  #failed(problem: string): void {
    if (this.phase === "closed") return
    this.events.onLost()
    this.#move("waiting", problem)
    this.#after(this.#retry.next(), () => this.#greet())
  }

  #drop(): void {
    clearTimeout(this.#timer)
    this.#webrtc.close()
  }

  #after(wait_ms: number, then: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(then, wait_ms)
  }

  #move(phase: Phase, problem: string | null): void {
    if (this.phase === phase && this.problem === problem) return
    this.phase = phase
    this.problem = problem
    this.events.onChange()
  }

  /** By the widget's comm; false when that is closed, which it is after the kernel has ended. */
  #tell(message: PageToKernel): boolean {
    try {
      this.model.send(message)
      return true
    } catch {
      return false
    }
  }
}
