// One WebRTC connection to the kernel: a picture in, a data channel for everything else.
import type { KernelToPage, PageToKernel } from "../protocol"

/** Where an ICE server is asked, or no address is found at all. */
const GATHERING_MS = 300
/**
 * The addresses of the machine come together, 2 ms after the asking; Chromium says that these were all 120 ms later. The
 * kernel needs none of them to answer: it learns the page's address from its first packet.
 */
const SETTLE_MS = 10
/** A relay takes some round trips, more of them over TLS. It is asked only where nothing else has formed. */
const RELAY_MS = 3000
const RELAY_SETTLE_MS = 200

export interface PeerEvents {
  onOpen(): void
  onTrack(track: MediaStreamTrack): void
  onMessage(message: KernelToPage): void
  /** Bytes of what the last `still` message announced. */
  onPiece(piece: ArrayBuffer): void
  /** Once, and never after `close()`. */
  onLost(reason: LostReason): void
}

export type LostReason = "failed" | "closed" | "channel"

export interface Offer {
  sdp: string
  candidates: number
}

/** What a connection needs of a peer; tests put a fake here. */
export interface PeerPort {
  offer(): Promise<Offer>
  accept(sdp: string): Promise<void>
  /** False when the channel is not open: the message was not sent. */
  send(message: PageToKernel): boolean
  /** Since the last call. */
  received(): Promise<Received>
  close(): void
}

export interface Received {
  /** Mean time from a frame's packets to the decoded frame, in milliseconds; null where nothing was decoded. */
  delay_ms: number | null
  /** Of the picture, since the peer was formed. */
  bytes: number
  /** In words, as "directly, udp" or "by a TURN server, tcp"; "" while that is not known. */
  path: string
}

/** What the reports of RTCPeerConnection.getStats hold of it. */
interface Report {
  type: string
  framesDecoded?: number
  totalProcessingDelay?: number
  bytesReceived?: number
  kind?: string
  selectedCandidatePairId?: string
  localCandidateId?: string
  candidateType?: string
  protocol?: string
  relayProtocol?: string
}

export type PeerMaker = (ice_servers: RTCIceServer[], events: PeerEvents) => PeerPort

export class Peer implements PeerPort {
  readonly #connection: RTCPeerConnection
  readonly #channel: RTCDataChannel
  readonly #events: PeerEvents
  readonly #controller = new AbortController()
  readonly #has_servers: boolean
  readonly #has_relay: boolean
  #decoded = { frames: 0, delay_s: 0 }

  constructor(ice_servers: RTCIceServer[], events: PeerEvents) {
    this.#events = events
    this.#has_servers = ice_servers.length > 0
    this.#has_relay = hasRelay(ice_servers)
    this.#connection = new RTCPeerConnection({ iceServers: ice_servers })
    const { signal } = this.#controller
    const { receiver } = this.#connection.addTransceiver("video", { direction: "recvonly" })
    // A model is watched live: no browser should save up frames.
    if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0
    this.#channel = this.#connection.createDataChannel("calls", { ordered: true })
    this.#channel.binaryType = "arraybuffer"

    this.#connection.addEventListener("track", ({ track }) => events.onTrack(track), { signal })
    this.#connection.addEventListener("connectionstatechange", () => this.#follow(), { signal })
    this.#channel.addEventListener("open", () => events.onOpen(), { signal })
    this.#channel.addEventListener("close", () => this.#lose("channel"), { signal })
    this.#channel.addEventListener("message", (event) => this.#receive(event), { signal })
  }

  async offer(): Promise<Offer> {
    await this.#connection.setLocalDescription()
    await this.#gathered()
    const sdp = this.#connection.localDescription?.sdp ?? ""
    return { sdp, candidates: sdp.match(/^a=candidate:/gm)?.length ?? 0 }
  }

  async accept(sdp: string): Promise<void> {
    await this.#connection.setRemoteDescription({ type: "answer", sdp })
  }

  send(message: PageToKernel): boolean {
    if (this.#channel.readyState !== "open") return false
    this.#channel.send(JSON.stringify(message))
    return true
  }

  async received(): Promise<Received> {
    const reports = (await this.#connection.getStats()) as ReadonlyMap<string, Report>
    const received: Received = { delay_ms: null, bytes: 0, path: "" }
    for (const report of reports.values()) {
      if (report.type === "transport") received.path = pathOf(report, reports)
      if (report.type !== "inbound-rtp" || report.kind !== "video") continue
      const { framesDecoded: frames = 0, totalProcessingDelay: delay_s = 0, bytesReceived = 0 } = report
      const before = this.#decoded
      this.#decoded = { frames, delay_s }
      received.bytes = bytesReceived
      if (frames > before.frames) received.delay_ms = ((delay_s - before.delay_s) * 1000) / (frames - before.frames)
    }
    return received
  }

  close(): void {
    this.#controller.abort()
    for (const { receiver } of this.#connection.getTransceivers()) receiver.track.stop()
    this.#channel.close()
    this.#connection.close()
  }

  #gathered(): Promise<void> {
    const connection = this.#connection
    if (connection.iceGatheringState === "complete" || this.#controller.signal.aborted) return Promise.resolve()
    const enough = new AbortController()
    const signal = AbortSignal.any([this.#controller.signal, enough.signal])
    return new Promise((resolve) => {
      let timer = setTimeout(() => enough.abort(), this.#has_relay ? RELAY_MS : GATHERING_MS)
      const done = () => {
        clearTimeout(timer)
        resolve()
      }
      const onCandidate = ({ candidate }: RTCPeerConnectionIceEvent) => {
        const is_relay = candidate?.type === "relay"
        if (candidate !== null && this.#has_servers && !is_relay) return
        clearTimeout(timer)
        const settle_ms = is_relay ? RELAY_SETTLE_MS : SETTLE_MS
        timer = setTimeout(() => enough.abort(), candidate === null ? 0 : settle_ms)
      }
      signal.addEventListener("abort", done, { once: true })
      connection.addEventListener("icecandidate", onCandidate, { signal })
    })
  }

  #follow(): void {
    const state = this.#connection.connectionState
    // "disconnected" may heal by itself; the heartbeat decides.
    if (state === "failed" || state === "closed") this.#lose(state)
  }

  #lose(reason: LostReason): void {
    if (this.#controller.signal.aborted) return
    this.close()
    this.#events.onLost(reason)
  }

  #receive(event: MessageEvent): void {
    if (event.data instanceof ArrayBuffer) this.#events.onPiece(event.data)
    if (typeof event.data !== "string") return
    let message: unknown
    try {
      message = JSON.parse(event.data)
    } catch {
      console.warn("[reactor_nb] a message from the kernel is no JSON:", event.data.slice(0, 200))
      return
    }
    if (isMessage(message)) this.#events.onMessage(message)
  }
}

/** The kernel is of the same package, so its messages are trusted beyond their type. */
export function isMessage(message: unknown): message is KernelToPage {
  return typeof message === "object" && message !== null && "type" in message && typeof message.type === "string"
}

/** Whether one of the servers is a relay, that is a TURN server. */
export function hasRelay(ice_servers: RTCIceServer[]): boolean {
  return ice_servers.some(({ urls }) => [urls].flat().some((url) => /^turns?:/.test(url)))
}

function pathOf(transport: Report, reports: ReadonlyMap<string, Report>): string {
  const pair = reports.get(transport.selectedCandidatePairId ?? "")
  const { candidateType = "", protocol = "", relayProtocol } = reports.get(pair?.localCandidateId ?? "") ?? { type: "" }
  if (candidateType === "") return ""
  return candidateType === "relay" ? `by a TURN server, ${relayProtocol ?? protocol}` : `directly, ${protocol}`
}
