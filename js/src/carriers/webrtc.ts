// Brings the picture by WebRTC: one attempt after the other to form a peer, and the heartbeat of the one that formed.
import { randomId } from "../calls"
import type { KernelClock } from "../clock"
import { Heartbeat } from "../heartbeat"
import * as problems from "../problems"
import type { AnswerMessage, KernelToPage, OfferMessage, PageToKernel, PingMessage, RefusedMessage } from "../protocol"
import { hasRelay, type PeerMaker, type PeerPort, type Received } from "./peer"

const ANSWER_MS = 10_000
/** Pairs form in 30 to 60 ms, or through a relay in some round trips more. */
const CONNECT_MS = 8_000
/** While another carrier brings the picture, and a relay waits for its turn. */
const CONNECT_BEHIND_MS = 4_000

export interface WebRtcEvents {
  onTrack(track: MediaStreamTrack, signal: AbortSignal): void
  onOpen(): void
  /** Watched, and nothing was heard for more than a second; `onHeard` where it speaks again. The peer is kept. */
  onSilent(): void
  onHeard(): void
  /** By data channel, pongs included. */
  onMessage(message: KernelToPage): void
  /** Bytes of what the last `still` message announced. */
  onPiece(piece: ArrayBuffer): void
  /** The attempt, or the peer that it formed, has ended; `problem` says why in one sentence. */
  onFailed(problem: string): void
}

export class WebRtcCarrier {
  /** The data channel is open. */
  is_open = false
  #is_watched = true
  #peer: PeerPort | null = null
  #heartbeat: Heartbeat | null = null
  #offer_id = ""
  /** Ends with the current attempt; everything that an attempt starts listens to it. */
  #attempt = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined
  #connect_ms = CONNECT_MS
  #not_formed = problems.NOT_FORMED

  /** `tell` brings a message to the kernel by the widget's comm. */
  constructor(
    readonly view_id: string,
    readonly hostname: string,
    readonly clock: KernelClock,
    readonly makePeer: PeerMaker,
    readonly tell: (message: PageToKernel) => boolean,
    readonly events: WebRtcEvents,
  ) {}

  /** Begins an attempt; an older one, or its peer, is closed. `has_relay_behind`: a relay is the next to be tried. */
  async connect(ice_servers: RTCIceServer[], has_relay_behind = false): Promise<void> {
    this.close()
    this.#connect_ms = has_relay_behind && !hasRelay(ice_servers) ? CONNECT_BEHIND_MS : CONNECT_MS
    this.#not_formed = hasRelay(ice_servers) ? problems.NOT_RELAYED : problems.NOT_FORMED
    const attempt = new AbortController()
    this.#attempt = attempt
    try {
      const peer = this.makePeer(ice_servers, {
        onOpen: () => this.#open(),
        onTrack: (track) => this.events.onTrack(track, attempt.signal),
        onMessage: (message) => this.#receive(message),
        onPiece: (piece) => this.events.onPiece(piece),
        onLost: () => this.#fail(this.is_open ? problems.LOST : this.#not_formed),
      })
      this.#peer = peer
      const { sdp, candidates } = await peer.offer()
      if (attempt.signal.aborted) return
      this.#offer_id = randomId()
      const { view_id, hostname } = this
      const offer: OfferMessage = { type: "offer", view_id, offer_id: this.#offer_id, sdp, hostname }
      this.tell(offer)
      const slow = candidates === 0 ? problems.NO_ADDRESS : problems.NO_ANSWER
      this.#after(ANSWER_MS, () => this.#fail(slow))
    } catch (cause) {
      if (!attempt.signal.aborted) this.#fail(problems.broken(cause))
    }
  }

  /** The kernel's answer; one to an older offer is not applied. */
  async accept({ offer_id, sdp }: AnswerMessage): Promise<void> {
    if (offer_id !== this.#offer_id || this.is_open) return
    const { signal } = this.#attempt
    const without_address = !/^a=candidate:/m.test(sdp)
    this.#after(this.#connect_ms, () => this.#fail(without_address ? problems.NO_KERNEL_ADDRESS : this.#not_formed))
    try {
      await this.#peer?.accept(sdp)
    } catch (cause) {
      if (!signal.aborted) this.#fail(problems.broken(cause))
    }
  }

  refuse({ offer_id, error }: RefusedMessage): void {
    if (offer_id === this.#offer_id) this.#fail(error.message)
  }

  /** By data channel; false when it is not open: the message was not sent. */
  send(message: PageToKernel): boolean {
    return this.is_open && (this.#peer?.send(message) ?? false)
  }

  /** Whether somebody watches: then a silence is noticed within a second. */
  set is_watched(is_watched: boolean) {
    this.#is_watched = is_watched
    if (this.#heartbeat !== null) this.#heartbeat.is_watched = is_watched
  }

  /** A frame of the peer's track has come. */
  framed(): void {
    this.#heartbeat?.frame()
  }

  /** What the peer received since the last call; null without one. */
  async received(): Promise<Received | null> {
    return (await this.#peer?.received()) ?? null
  }

  /** Ends the attempt or the peer, and tells nobody. Another attempt may follow. */
  close(): void {
    clearTimeout(this.#timer)
    this.#attempt.abort()
    this.is_open = false
    this.#heartbeat = null
    this.#offer_id = ""
    this.#peer?.close()
    this.#peer = null
  }

  #open(): void {
    clearTimeout(this.#timer)
    this.is_open = true
    this.events.onOpen()
    const beats = {
      send: (ping: PingMessage) => void this.#peer?.send(ping),
      onSilent: () => this.events.onSilent(),
      onHeard: () => this.events.onHeard(),
      onLost: () => this.#fail(problems.LOST),
    }
    this.#heartbeat = new Heartbeat(this.clock, this.#is_watched, beats, this.#attempt.signal)
  }

  #receive(message: KernelToPage): void {
    if (message.type === "pong") this.#heartbeat?.pong(message)
    this.events.onMessage(message)
  }

  #fail(problem: string): void {
    this.close()
    this.events.onFailed(problem)
  }

  #after(wait_ms: number, then: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(then, wait_ms)
  }
}
