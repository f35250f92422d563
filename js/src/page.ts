// What this page can do, as the browser says.
import { type DecoderMaker, makeDecoder } from "./carriers/comm"
import { Peer, type PeerMaker } from "./carriers/peer"
import { supportedCodecs } from "./decoders/video"
import type { PageAbilities } from "./ladder"

export interface Page extends PageAbilities {
  hostname: string
  /** Which of the kernel's video codecs this page decodes, best first. */
  videoCodecs(): Promise<string[]>
  makePeer: PeerMaker
  makeDecoder: DecoderMaker
}

let codecs: Promise<string[]> | null = null

export function thisPage(): Page {
  return {
    hostname: location.hostname,
    is_secure: isSecureContext,
    has_webrtc: typeof RTCPeerConnection !== "undefined",
    has_video_decoder: typeof VideoDecoder !== "undefined",
    videoCodecs: () => {
      codecs ??= supportedCodecs()
      return codecs
    },
    makePeer: (ice_servers, events) => new Peer(ice_servers, events),
    makeDecoder,
  }
}
