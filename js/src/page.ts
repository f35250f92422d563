// What this page can do, as the browser says.
import { makeDecoder } from "./carriers/comm"
import { Peer } from "./carriers/peer"
import type { Page } from "./connection"
import { supportedCodecs } from "./decoders/video"

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
