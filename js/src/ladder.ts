// Which carrier brings the picture, why better ones do not, and when they are tried again. Owns no clock and no timer.
import { Backoff } from "./backoff"
import * as problems from "./problems"

export type Rung = "webrtc" | "video" | "jpeg"
export const RUNGS: readonly Rung[] = ["webrtc", "video", "jpeg"]
export const RUNG_NAMES: Record<Rung, string> = {
  webrtc: "WebRTC",
  video: "video over Jupyter",
  jpeg: "JPEG over Jupyter",
}

/** Which rungs `%reactor run --carrier` leaves. */
export type Choice = "auto" | "webrtc" | "comm" | "jpeg"
const LEFT: Record<Choice, readonly Rung[]> = {
  auto: RUNGS,
  webrtc: ["webrtc"],
  comm: ["video", "jpeg"],
  jpeg: ["jpeg"],
}

export interface PageAbilities {
  has_webrtc: boolean
  /** https, or localhost: only there browsers decode video for a page. */
  is_secure: boolean
  has_video_decoder: boolean
}

/** Without another carrier a peer is tried again soon; behind a picture that plays there is time. */
const ALONE_MS = [500, 8_000] as const
const BEHIND_MS = [5_000, 60_000] as const
/** A peer that brought the picture and was lost: its kernel may have begun anew, and is there. */
const LOST_RETRY_MS = 500

/**
 * waiting: until the next attempt · trying: a peer is being formed · open: its data channel is · painting: frames of it
 * were seen, so it brings the picture · silent: it says nothing, and may come back.
 */
export type WebRtcState = "off" | "waiting" | "trying" | "open" | "painting" | "silent"

export class Ladder {
  webrtc: WebRtcState = "off"
  /** The next attempt's time while `webrtc` waits. */
  next_ms = 0
  /** The next attempt may use relays: one without has found no way. */
  wants_relay = false
  /** What the packets are that came last. */
  #comm: "video" | "jpeg" | null = null
  #trouble = ""
  /** Why this page is asked no video of. */
  #video_trouble = ""
  /** What the last decoder of video said that failed; the kernel may have another codec. */
  #decoder_trouble = ""
  #failures = 0
  /** Frames of the present peer were seen. */
  #has_painted = false
  readonly #retry: Backoff

  constructor(
    readonly choice: Choice,
    readonly page: PageAbilities,
  ) {
    const [first_ms, longest_ms] = this.allows("video") || this.allows("jpeg") ? BEHIND_MS : ALONE_MS
    this.#retry = new Backoff(first_ms, longest_ms)
    if (this.allows("webrtc")) {
      if (page.has_webrtc) this.webrtc = "waiting"
      else this.#trouble = problems.NO_WEBRTC
    }
    if (!page.has_video_decoder) this.#video_trouble = page.is_secure ? problems.NO_WEBCODECS : problems.NOT_SECURE
  }

  allows(rung: Rung): boolean {
    return LEFT[this.choice].includes(rung)
  }

  /** Whether there is another carrier than WebRTC. */
  get has_comm(): boolean {
    return this.allows("jpeg")
  }

  /** Whether packets are wanted now: until WebRTC brings the picture, and as soon as it does not. */
  get wants_comm(): boolean {
    return this.has_comm && this.webrtc !== "painting"
  }

  get wants_video(): boolean {
    return this.allows("video") && this.#video_trouble === ""
  }

  /** The rung on which the picture comes; null while none has brought it. */
  get rung(): Rung | null {
    if (this.webrtc === "painting" || (!this.has_comm && this.webrtc !== "off" && this.#isFormed())) return "webrtc"
    return this.#comm
  }

  /** Whether an attempt at WebRTC is due. */
  isDue(now_ms: number): boolean {
    return this.webrtc === "waiting" && now_ms >= this.next_ms
  }

  attempted(): void {
    this.webrtc = "trying"
    this.#has_painted = false
  }

  opened(): void {
    this.webrtc = "open"
    this.#trouble = ""
  }

  /** Frames of WebRTC are on the canvas, or would be, were those of the other carrier not sooner. */
  painted(): void {
    if (this.webrtc !== "open") return
    this.webrtc = "painting"
    this.#has_painted = true
    this.#failures = 0
    this.#retry.reset()
  }

  /** No pong for longer than a moment; the peer is kept. */
  silent(): void {
    if (!this.#isFormed()) return
    this.webrtc = "silent"
    this.#trouble = problems.SILENT
  }

  /** A pong after a silence: it must be seen to bring frames before it takes over again. */
  heard(): void {
    if (this.webrtc === "silent") this.webrtc = "open"
  }

  /** An attempt, or the peer that it formed, has ended. `has_relay`: the kernel knows of relays. */
  failed(problem: string, has_relay: boolean, now_ms: number): void {
    const was_formed = this.#isFormed()
    this.webrtc = "waiting"
    this.#trouble = problem
    this.#failures = was_formed ? 0 : this.#failures + 1
    const tries_relay = !was_formed && has_relay && !this.wants_relay
    if (tries_relay) this.wants_relay = true
    // One that opens and ends at once, again and again, is tried no more often than one that never opens.
    if (this.#has_painted) this.next_ms = now_ms + LOST_RETRY_MS
    else this.next_ms = tries_relay ? now_ms : now_ms + this.#retry.next()
  }

  /** The network may be another one now, or somebody looks again: what failed before may work. */
  nudge(now_ms: number): void {
    if (this.webrtc !== "waiting") return
    this.#retry.reset()
    this.next_ms = now_ms
  }

  /** A packet came by comm; whether it is of another kind than those before. */
  packet(is_image: boolean): boolean {
    const before = this.#comm
    this.#comm = is_image ? "jpeg" : "video"
    return this.#comm !== before
  }

  /** One of the codecs is not decoded here after all. */
  decoderFailed(why: string): void {
    this.#decoder_trouble = why
  }

  /** This page decodes none of the kernel's video codecs. */
  videoFailed(why: string): void {
    this.#video_trouble = why
  }

  /** Each rung, and why it does not bring the picture; "" for the one that does. */
  reasons(): Record<Rung, string> {
    const rung = this.rung
    return {
      webrtc: rung === "webrtc" ? "" : this.#whyNotWebRtc(),
      video: rung === "video" ? "" : this.#whyNotVideo(),
      jpeg: rung === "jpeg" ? "" : this.allows("jpeg") ? problems.standsBy(rung) : problems.NOT_CHOSEN,
    }
  }

  #whyNotWebRtc(): string {
    if (!this.allows("webrtc")) return problems.NOT_CHOSEN
    if (this.webrtc === "trying") return this.#failures === 0 ? problems.TRYING : this.#trouble
    if (this.webrtc === "open") return problems.TRYING
    return this.#trouble || problems.TRYING
  }

  #whyNotVideo(): string {
    if (!this.allows("video")) return problems.NOT_CHOSEN
    if (this.#video_trouble !== "") return this.#video_trouble
    return this.rung === "jpeg" ? this.#decoder_trouble || problems.NO_CODEC : problems.standsBy(this.rung)
  }

  #isFormed(): boolean {
    return this.webrtc === "open" || this.webrtc === "painting" || this.webrtc === "silent"
  }
}
