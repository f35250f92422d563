// A model port and a peer port that remember what they were told.

import type { Offer, PeerEvents, PeerMaker, PeerPort, Received } from "../src/carriers/peer"
import type { Decoder } from "../src/decoders/decoder"
import type { ModelPort, ViewerTraits } from "../src/model"
import { Surface } from "../src/painter/surface"
import type { PageToKernel } from "../src/protocol"

const IDLE: ViewerTraits = {
  model_name: "plasma",
  state: "streaming",
  session_id: 1,
  loading_since_ms: 0,
  error: null,
  log: "",
  has_poster: false,
  help: "",
  carrier: "auto",
}

export class FakeModel implements ModelPort {
  readonly sent: PageToKernel[] = []
  readonly traits = { ...IDLE }
  has_comm = true

  get<K extends keyof ViewerTraits>(key: K): ViewerTraits[K] {
    return this.traits[key]
  }

  on(): void {}

  off(): void {}

  send(message: unknown): void {
    if (!this.has_comm) throw new Error("Cannot send")
    this.sent.push(message as PageToKernel)
  }

  /** The sent messages of one type, oldest first. */
  of<T extends PageToKernel["type"]>(type: T): Extract<PageToKernel, { type: T }>[] {
    return this.sent.filter((message): message is Extract<PageToKernel, { type: T }> => message.type === type)
  }
}

export class FakePeer implements PeerPort {
  readonly sent: PageToKernel[] = []
  accepted: string[] = []
  is_open = false
  is_closed = false

  constructor(
    readonly ice_servers: RTCIceServer[],
    readonly events: PeerEvents,
  ) {}

  async offer(): Promise<Offer> {
    return { sdp: "v=0 offer\r\na=candidate:1", candidates: 1 }
  }

  async accept(sdp: string): Promise<void> {
    this.accepted.push(sdp)
  }

  send(message: PageToKernel): boolean {
    if (this.is_open) this.sent.push(message)
    return this.is_open
  }

  async received(): Promise<Received> {
    return { delay_ms: null, bytes: 0, path: "" }
  }

  close(): void {
    this.is_open = false
    this.is_closed = true
  }

  open(): void {
    this.is_open = true
    this.events.onOpen()
  }
}

export function peerMaker(): { peers: FakePeer[]; makePeer: PeerMaker } {
  const peers: FakePeer[] = []
  const makePeer: PeerMaker = (ice_servers, events) => {
    const peer = new FakePeer(ice_servers, events)
    peers.push(peer)
    return peer
  }
  return { peers, makePeer }
}

/** Where a test looks at what is said, and not at pictures. */
export function fakeSurface(): Surface {
  const nothing = () => undefined
  const context = { drawImage: nothing }
  const canvas = { width: 0, height: 0, getContext: () => context } as unknown as HTMLCanvasElement
  return new Surface(canvas, { onDrawn: nothing, onSkipped: nothing, onSize: nothing, onArrived: nothing })
}

export function noDecoder(): Decoder {
  return { decode: () => undefined, backlog: 0, close: () => undefined }
}
