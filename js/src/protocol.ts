// Made from reactor_nb/transport/protocol.json; change that file, then run
// python -m reactor_nb.transport.wire_types > js/src/protocol.ts

export const PROTOCOL_VERSION = 1

export interface WireError {
  code: string
  message: string
  fields?: Record<string, string>
  traceback?: string
}

export interface ReadyMessage {
  type: "ready"
  view_id: string
  hostname: string
  is_secure: boolean
  decoders?: string[]
}

export interface CarryMessage {
  type: "carry"
  view_id: string
  codecs: string[]
  is_watching: boolean
}

export interface AckMessage {
  type: "ack"
  view_id: string
  sequence: number
}

export interface ServersMessage {
  type: "servers"
  view_id: string
}

export interface ControlMessage {
  type: "control"
  id: string
  view_id: string
  page_id: string
  command: string
  values: Record<string, unknown>
  order: number
}

export interface OfferMessage {
  type: "offer"
  view_id: string
  offer_id: string
  sdp: string
  hostname: string
}

export interface ByeMessage {
  type: "bye"
  view_id: string
}

export interface StartMessage {
  type: "start"
  view_id: string
}

export interface StopMessage {
  type: "stop"
  view_id: string
}

export interface CallMessage {
  type: "call"
  id: string
  name: string
  params: Record<string, unknown>
}

export interface PingMessage {
  type: "ping"
  sent_ms: number
  view_id?: string
}

export interface PaintedMessage {
  type: "painted"
  painted: number
  skipped: number
  latency_ms: number | null
  rate_fps: number
  painter?: string
  frames?: number[]
  view_id?: string
  carrier?: string
  rungs?: Record<string, string>
}

export interface WatchingMessage {
  type: "watching"
  is_watching: boolean
  view_id?: string
}

export interface KeyframeMessage {
  type: "keyframe"
  view_id?: string
}

export type PageToKernel =
  | ReadyMessage
  | CarryMessage
  | AckMessage
  | ServersMessage
  | ControlMessage
  | OfferMessage
  | ByeMessage
  | StartMessage
  | StopMessage
  | CallMessage
  | PingMessage
  | PaintedMessage
  | WatchingMessage
  | KeyframeMessage

export interface HelloMessage {
  type: "hello"
  view_id: string
  protocol: number
  ice_servers: RTCIceServer[]
  carrier?: string
  has_relay?: boolean
}

export interface RelaysMessage {
  type: "relays"
  view_id: string
  ice_servers: RTCIceServer[]
}

export interface PacketMessage {
  type: "packet"
  to: string[]
  sequence: number
  codec: string
  is_keyframe: boolean
  rtp_timestamp: number
  shown_kernel_ms: number
  width_px: number
  height_px: number
  rate_fps: number
  ack_every: number
}

export interface AnswerMessage {
  type: "answer"
  view_id: string
  offer_id: string
  sdp: string
}

export interface RefusedMessage {
  type: "refused"
  view_id: string
  offer_id: string
  error: WireError
}

export interface ReplyMessage {
  type: "reply"
  id: string
  result?: unknown
  error?: WireError
  to?: string[]
}

export interface ErrorMessage {
  type: "error"
  error: WireError
  to?: string[]
}

export interface ModelMessage {
  type: "message"
  data: unknown
  to?: string[]
}

export interface PongMessage {
  type: "pong"
  sent_ms: number
  kernel_ms: number
  wait_ms?: number
  view_id?: string
}

export interface StreamMessage {
  type: "stream"
  width_px: number
  height_px: number
  rate_fps: number
  rtp_origin: number | null
  rtp_origin_kernel_ms: number
  codec: string
}

export interface ReconnectMessage {
  type: "reconnect"
}

export interface StillMessage {
  type: "still"
  still_id: number
  width_px: number
  height_px: number
  bytes: number
  rtp_timestamp: number | null
  to?: string[]
}

export interface StillPieceMessage {
  type: "still_piece"
  to: string[]
  still_id: number
  sequence: number
  ack_every: number
}

export type KernelToPage =
  | HelloMessage
  | RelaysMessage
  | PacketMessage
  | AnswerMessage
  | RefusedMessage
  | ReplyMessage
  | ErrorMessage
  | ModelMessage
  | PongMessage
  | StreamMessage
  | ReconnectMessage
  | StillMessage
  | StillPieceMessage
