// Keeps one view connected: greets the kernel until it answers, and climbs the ladder of carriers.
import type { Road } from "./calls"
import { Attempts } from "./carriers/attempts"
import { CommCarrier, IMAGES } from "./carriers/comm"
import { CommRoad } from "./carriers/comm_road"
import type { Received } from "./carriers/peer"
import { WebRtcCarrier } from "./carriers/webrtc"
import { KernelClock } from "./clock"
import type { ConnectionEvents, Phase } from "./connection_events"
import { Greeting } from "./greeting"
import { Ladder } from "./ladder"
import type { ModelPort } from "./model"
import type { Page } from "./page"
import type { Surface } from "./painter/surface"
import type { CarrierKind } from "./painter/timeline"
import * as problems from "./problems"
import { type HelloMessage, type KernelToPage, type PageToKernel, PROTOCOL_VERSION } from "./protocol"
import { Watch } from "./sight"

/** Frames of WebRTC that are all a little later than those of the other carrier: it is left to bring them alone. */
const LAGGING_MS = 500

export class Connection {
  readonly clock = new KernelClock()
  /** From `emit_block` until the kernel's clock plays a frame, of late: part of a frame's age before it is sent. */
  wait_ms = 0
  phase: Phase = "greeting"
  /** One sentence on why there is no picture, until there is one. */
  problem: string | null = null
  was_live = false
  ladder: Ladder
  #video_codecs: string[] = []
  readonly #failed_codecs = new Set<string>()
  /** What the kernel was told by channel; a new peer is sent the picture until it is told otherwise. */
  #told_watching = true
  #lagging_ms: number | null = null
  /** The best road for a call now. */
  road: Road = "comm"
  readonly #watch = new Watch(() => this.#watched())
  readonly #greeting: Greeting
  readonly #attempts: Attempts
  readonly #webrtc: WebRtcCarrier
  readonly #comm: CommCarrier
  readonly #comm_road: CommRoad

  constructor(
    readonly view_id: string,
    readonly model: ModelPort,
    surface: Surface,
    readonly events: ConnectionEvents,
    readonly page: Page,
  ) {
    const tell = (message: PageToKernel) => this.#tell(message)
    this.ladder = this.#newLadder()
    this.#greeting = new Greeting(
      () => this.#sayReady(),
      () => events.onChange(),
      () => this.#greet(),
    )
    this.#attempts = new Attempts({
      askServers: () => tell({ type: "servers", view_id }),
      connect: (ice_servers, has_relay_behind) => void this.#webrtc.connect(ice_servers, has_relay_behind),
      greet: () => this.#greet(),
    })
    this.#webrtc = new WebRtcCarrier(view_id, page.hostname, this.clock, page.makePeer, tell, {
      onTrack: (track, signal) => events.onTrack(track, signal),
      onOpen: () => this.#opened(),
      onSilent: () => this.#step(() => this.ladder.silent()),
      onHeard: () => this.#step(() => this.ladder.heard()),
      onMessage: (message) => this.#receiveByChannel(message),
      onPiece: (piece) => events.onPiece(piece, "channel"),
      onFailed: (problem) => this.#failed(problem),
    })
    this.#comm_road = new CommRoad(view_id, this.clock, tell, () => this.#unheard())
    const comm_events = {
      onPacket: (codec: string) => this.#packet(codec),
      onCodecFailed: (codec: string, why: string) => this.#codecFailed(codec, why),
    }
    this.#comm = new CommCarrier(view_id, surface, tell, comm_events, page.makeDecoder)
  }

  /** Greetings that were not answered yet. */
  get greetings(): number {
    return this.#greeting.count
  }

  /** Of the packets that came by comm for this view. */
  get packet_bytes(): number {
    return this.#comm.received_bytes
  }

  start(): void {
    this.problem = null
    this.ladder = this.#newLadder()
    this.#attempts.hello = null
    this.#greeting.reset()
    if (this.ladder.has_comm || this.page.has_webrtc) this.#greet()
    else this.#move("closed", problems.NO_WEBRTC)
  }

  /** A message that came by the widget's comm, and the bytes beside it. */
  receive(message: KernelToPage, bytes: Uint8Array<ArrayBuffer> | null = null): void {
    if (this.phase === "closed") return
    if (message.type === "packet") {
      if (this.ladder.has_comm && bytes !== null) this.#comm.receive(message, bytes)
      return
    }
    if (message.type === "still_piece" && this.ladder.has_comm) this.#comm.heard(message)
    if ("view_id" in message && message.view_id !== undefined && message.view_id !== this.view_id) return
    if ("to" in message && message.to !== undefined && !message.to.includes(this.view_id)) return
    if (message.type === "hello") void this.#greeted(message)
    else if (message.type === "answer") void this.#webrtc.accept(message)
    else if (message.type === "refused") this.#webrtc.refuse(message)
    else if (message.type === "relays") this.#attempts.named(this.ladder, message.ice_servers)
    else if (message.type === "reconnect") this.#again()
    else if (message.type === "pong") {
      this.wait_ms = message.wait_ms ?? 0
      this.#comm_road.pong(message)
      this.#proved()
    } else if (message.type === "still_piece") {
      if (bytes !== null) this.events.onPiece(bytes.slice().buffer, "comm")
    } else this.events.onMessage(message, "comm")
  }

  /** Whether somebody can see the picture: what nobody sees is not sent. */
  watch(is_watching: boolean): void {
    // Without a picture there is nothing to come back to.
    this.#watch.see(is_watching, this.phase === "live")
  }

  /** A frame of a carrier has come; `is_older` than what is on the canvas already. */
  arrived(carrier: CarrierKind, is_older: boolean): void {
    if (carrier !== "webrtc") return
    this.#webrtc.framed()
    if (this.ladder.webrtc !== "open") return
    const now_ms = performance.now()
    if (is_older) {
      this.#lagging_ms ??= now_ms
      if (now_ms - this.#lagging_ms < LAGGING_MS) return
    }
    this.#lagging_ms = null
    this.#step(() => this.ladder.painted())
  }

  /** The author may leave other carriers now. */
  choose(): void {
    const choice = this.model.get("carrier") ?? "auto"
    if (choice === this.ladder.choice || this.phase === "closed") return
    // Packets that are not taken any more would keep those of other pages waiting for this one's word.
    if (this.ladder.has_comm) this.#comm_road.carry([IMAGES], false, false)
    this.#drop()
    this.events.onLost(false)
    this.start()
  }

  /** The network may be another one now. */
  networkChanged(): void {
    this.#step(() => this.ladder.nudge(performance.now()))
  }

  /** What WebRTC received since the last call; null without a peer. */
  received(): Promise<Received | null> {
    return this.#webrtc.received()
  }

  /** By the best road that is open now, and which that was. Throws where there is none: the kernel has ended. */
  post(message: PageToKernel): Road {
    if (this.send(message)) return "channel"
    this.model.send(message)
    // Its pong tells a kernel that is busy from a command that takes its time.
    if (this.ladder.has_comm && this.phase === "live") this.#comm_road.ask()
    return "comm"
  }

  /** By the data channel; false when it is not open, or silent. */
  send(message: PageToKernel): boolean {
    return this.ladder.webrtc !== "silent" && this.#webrtc.send(message)
  }

  /** What concerns the picture goes to the carrier that brings it. */
  say(message: Extract<PageToKernel, { type: "painted" | "keyframe" }>): void {
    const { rung } = this.ladder
    if (rung !== "video" && rung !== "jpeg" && this.send(message)) return
    if (this.ladder.has_comm && this.phase === "live") this.#tell({ ...message, view_id: this.view_id })
  }

  /** For how long the kernel has not answered by comm: it runs a cell, and this front end has no subshell. */
  unanswered_ms(now_ms: number): number {
    return this.#comm_road.unanswered_ms(now_ms)
  }

  /** For how long neither a packet nor a pong has come of what was asked for by comm. */
  unheard_ms(now_ms: number): number {
    return this.phase === "live" ? this.#comm_road.unheard_ms(now_ms) : 0
  }

  /** Ends every carrier and tells the kernel. The connection may be started again. */
  close(problem: string | null = null): void {
    if (this.phase === "closed") return
    this.#watch.close()
    this.#drop()
    this.#tell({ type: "bye", view_id: this.view_id })
    this.#move("closed", problem)
    this.events.onClosed()
  }

  #newLadder(choice = this.model.get("carrier") ?? "auto"): Ladder {
    return new Ladder(choice, this.page)
  }

  #greet(): void {
    this.#move("greeting", this.problem)
    if (this.#greeting.start()) return
    this.#drop()
    this.#move("closed", problems.KERNEL_GONE)
    this.events.onClosed()
  }

  #sayReady(): boolean {
    const { hostname, is_secure } = this.page
    return this.#tell({ type: "ready", view_id: this.view_id, hostname, is_secure })
  }

  async #greeted(hello: HelloMessage): Promise<void> {
    const is_first = this.phase === "greeting"
    if (hello.protocol !== PROTOCOL_VERSION) return this.close(problems.OTHER_VERSION)
    this.#greeting.stop()
    this.#attempts.hello = hello
    if (!this.ladder.has_comm) {
      if (!is_first) return
      this.#move("connecting", this.problem)
      this.#attempts.begin(this.ladder)
      return
    }
    if (is_first) this.#move("connecting", null)
    if (this.page.has_video_decoder) {
      const codecs = await this.page.videoCodecs()
      this.#video_codecs = codecs.filter((name) => !this.#failed_codecs.has(name))
      if (codecs.length === 0) this.ladder.videoFailed(problems.NO_CODEC)
    }
    // Of a view that was closed meanwhile nothing is asked.
    this.#follow(true)
  }

  /** Something happened; then everything is as the ladder says. */
  #step(happen: () => void): void {
    const before = this.ladder.rung
    happen()
    this.#follow()
    if (this.ladder.rung !== before) this.events.onChange()
  }

  #follow(is_anew = false): void {
    if (this.phase === "closed" || this.phase === "greeting") return
    const { ladder } = this
    if (ladder.has_comm) this.#carry(is_anew)
    this.#attempts.follow(ladder)
    const road = this.#webrtc.is_open && ladder.webrtc !== "silent" ? "channel" : "comm"
    if (road === this.road) return
    this.road = road
    this.events.onRoad()
  }

  #carry(is_anew: boolean): void {
    const { ladder } = this
    const codecs = ladder.wants_video ? [...this.#video_codecs, IMAGES] : [IMAGES]
    const is_wanted = ladder.wants_comm && this.#watch.is_watched
    // An open channel is asked the time, and notices a silence sooner.
    this.#comm_road.carry(codecs, is_wanted, is_wanted && ladder.webrtc !== "open", is_anew)
  }

  #opened(): void {
    // The kernel behind the connection may be another one than before.
    if (!this.ladder.has_comm) this.clock.reset()
    this.#told_watching = true
    this.#lagging_ms = null
    this.#step(() => this.ladder.opened())
    this.#proved()
    this.#tellWatching()
  }

  /** A carrier works. */
  #proved(): void {
    if (this.phase === "greeting" || this.phase === "closed") return
    this.#greeting.reset()
    this.was_live = true
    this.#move("live", null)
  }

  #watched(): void {
    const { is_watched } = this.#watch
    if (is_watched) this.ladder.nudge(performance.now())
    this.#webrtc.is_watched = is_watched
    this.#tellWatching()
    this.#follow()
  }

  #tellWatching(): void {
    const is_watching = this.#watch.is_watched
    if (this.#told_watching === is_watching) return
    if (this.#webrtc.send({ type: "watching", is_watching })) this.#told_watching = is_watching
  }

  #packet(codec: string): void {
    this.#comm_road.heard()
    if (this.ladder.packet(codec === IMAGES)) this.events.onChange()
    this.#proved()
  }

  #codecFailed(codec: string, why: string): void {
    this.#failed_codecs.add(codec)
    this.#video_codecs = this.#video_codecs.filter((name) => name !== codec)
    this.ladder.decoderFailed(problems.decoderFailed(codec, why))
    this.#follow(true)
  }

  /** What was asked by comm was asked again: the kernel may be busy, or not know this view any more. */
  #unheard(): void {
    this.#sayReady()
    if (this.phase === "live") return
    this.#greeting.count += 1
    this.events.onChange()
  }

  /** The kernel says that the other end of this connection is gone: what would end by a silence ends now. */
  #again(): void {
    this.#attempts.close()
    this.#webrtc.close()
    this.#comm.reset()
    this.ladder = this.#newLadder(this.ladder.choice)
    this.events.onLost(true)
    this.#greeting.reset()
    if (this.ladder.has_comm && this.phase !== "greeting") {
      this.#follow(true)
      return
    }
    this.#move("waiting", problems.STREAM_RESTARTED)
    this.#greet()
  }

  #receiveByChannel(message: KernelToPage): void {
    if (message.type === "pong") this.wait_ms = message.wait_ms ?? 0
    else this.events.onMessage(message, "channel")
  }

  #failed(problem: string): void {
    if (this.phase === "closed") return
    this.events.onLost(false)
    if (!this.ladder.has_comm) this.#move("waiting", problem)
    else if (!this.#comm_road.was_heard) this.#move("connecting", this.was_live ? problem : null)
    this.#step(() => this.ladder.failed(problem, this.#attempts.has_relay, performance.now()))
    this.events.onChange()
  }

  #drop(): void {
    this.#attempts.close()
    this.#greeting.stop()
    this.#webrtc.close()
    this.#comm.reset()
    this.#comm_road.stop()
    this.road = "comm"
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
