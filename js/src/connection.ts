// Keeps one view connected: greets the kernel until it answers, makes a peer, and starts over when it is lost.
import { Backoff } from "./backoff"
import { randomId } from "./calls"
import { KernelClock } from "./clock"
import { Heartbeat } from "./heartbeat"
import type { ModelPort } from "./model"
import type { PeerMaker, PeerPort } from "./peer"
import * as problems from "./problems"
import { type KernelToPage, type OfferMessage, type PageToKernel, type PongMessage, PROTOCOL_VERSION } from "./protocol"

const ANSWER_MS = 10_000
const CONNECT_MS = 8_000
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
  #peer: PeerPort | null = null
  #heartbeat: Heartbeat | null = null
  #offer_id = ""
  /** Ends with the current attempt; everything that an attempt starts listens to it. */
  #attempt = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined
  #is_watching = true
  /** What the kernel was told; a new peer is sent the picture until it is told otherwise. */
  #told_watching = true
  #look_away: ReturnType<typeof setTimeout> | undefined
  readonly #retry = new Backoff(FIRST_RETRY_MS, LONGEST_RETRY_MS)

  constructor(
    readonly view_id: string,
    readonly model: ModelPort,
    readonly makePeer: PeerMaker,
    readonly events: ConnectionEvents,
    readonly page: { hostname: string; is_secure: boolean; has_webrtc: boolean },
  ) {}

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
      else void this.#connect(message.ice_servers)
    } else if (message.type === "answer") {
      if (message.offer_id === this.#offer_id && this.phase === "connecting") void this.#accept(message.sdp)
    } else if (message.type === "refused") {
      if (message.offer_id === this.#offer_id) this.#fail(message.error.message)
    } else if (message.type === "reconnect") this.#again()
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
  async receiveDelay(): Promise<number | null> {
    return (await this.#peer?.receiveDelay()) ?? null
  }

  /** By the data channel; false when it is not open. */
  send(message: PageToKernel): boolean {
    return this.phase === "live" && (this.#peer?.send(message) ?? false)
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

  async #connect(ice_servers: RTCIceServer[]): Promise<void> {
    this.#drop()
    const attempt = new AbortController()
    this.#attempt = attempt
    this.#move("connecting", this.problem)
    try {
      const peer = this.makePeer(ice_servers, {
        onOpen: () => this.#open(),
        onTrack: (track) => this.events.onTrack(track, attempt.signal),
        onMessage: (message) => this.#receiveFromPeer(message),
        onPiece: (piece) => this.events.onPiece(piece),
        onLost: () => this.#fail(this.phase === "live" ? problems.LOST : problems.NOT_FORMED),
      })
      this.#peer = peer
      const { sdp, candidates } = await peer.offer()
      if (attempt.signal.aborted) return
      this.#offer_id = randomId()
      const offer: OfferMessage = {
        type: "offer",
        view_id: this.view_id,
        offer_id: this.#offer_id,
        sdp,
        hostname: this.page.hostname,
      }
      this.#tell(offer)
      const slow = candidates === 0 ? problems.NO_ADDRESS : problems.NO_ANSWER
      this.#after(ANSWER_MS, () => this.#fail(slow))
    } catch (cause) {
      if (!attempt.signal.aborted) this.#fail(problems.broken(cause))
    }
  }

  async #accept(sdp: string): Promise<void> {
    const { signal } = this.#attempt
    const without_address = !/^a=candidate:/m.test(sdp)
    this.#after(CONNECT_MS, () => this.#fail(without_address ? problems.NO_KERNEL_ADDRESS : problems.NOT_FORMED))
    try {
      await this.#peer?.accept(sdp)
    } catch (cause) {
      if (!signal.aborted) this.#fail(problems.broken(cause))
    }
  }

  #open(): void {
    clearTimeout(this.#timer)
    this.#retry.reset()
    this.greetings = 0
    this.was_live = true
    this.clock.reset()
    this.#move("live", null)
    this.#heartbeat = new Heartbeat(
      this.clock,
      (ping) => this.#peer?.send(ping),
      () => this.#fail(problems.LOST),
      this.#attempt.signal,
    )
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

  #receiveFromPeer(message: KernelToPage): void {
    if (message.type === "pong") this.#pong(message)
    else this.events.onMessage(message)
  }

  #pong(message: PongMessage): void {
    this.wait_ms = message.wait_ms ?? 0
    this.#heartbeat?.pong(message)
  }

  #fail(problem: string): void {
    if (this.phase === "closed") return
    this.#drop()
    this.events.onLost()
    this.#move("waiting", problem)
    this.#after(this.#retry.next(), () => this.#greet())
  }

  #drop(): void {
    clearTimeout(this.#timer)
    this.#attempt.abort()
    this.#heartbeat = null
    this.#offer_id = ""
    this.#peer?.close()
    this.#peer = null
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
