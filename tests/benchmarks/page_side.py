"""What runs in the page under measurement, the same for every peer."""

from __future__ import annotations

from tests.support import barcode

# Before the page's own scripts: counts what arrives, and lets a run choose the codec that the page offers, and
# whether a relay is the only way.
COUNTERS_JS = """
(() => {
  const net = (window.__net = { peers: [], socket_bytes: 0, codec: null, is_relayed: false });
  const sizeOf = (data) => data.byteLength ?? data.size ?? data.length ?? 0;
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => (net.socket_bytes += sizeOf(data)));
    }
  };
  const prefer = (peer) => {
    if (!net.codec) return;
    const all = RTCRtpReceiver.getCapabilities("video").codecs;
    const chosen = all.filter((each) => each.mimeType.toLowerCase() === "video/" + net.codec.toLowerCase());
    for (const each of peer.getTransceivers())
      if (chosen.length && each.receiver.track.kind === "video") each.setCodecPreferences(chosen);
  };
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration, ...given) {
      super({ ...configuration, ...(net.is_relayed ? { iceTransportPolicy: "relay" } : {}) }, ...given);
      net.peers.push(this);
    }
    createOffer(...given) {
      prefer(this);
      return super.createOffer(...given);
    }
    setLocalDescription(...given) {
      if (!given.length) prefer(this);
      return super.setLocalDescription(...given);
    }
  };
})();
"""

# Connections of an earlier visit end: not every peer closes its own with its output.
BEGIN_JS = """
([codec, is_relayed]) => {
  const net = window.__net;
  for (const peer of net.peers) peer.close();
  Object.assign(net, { peers: [], codec: codec || null, is_relayed });
}
"""

# What has arrived so far, and what the tracks are made of.
ARRIVED_JS = """
async () => {
  const net = window.__net;
  let rtp_bytes = 0;
  const codecs = new Set();
  net.peers = net.peers.filter((peer) => peer.connectionState !== "closed");
  for (const peer of net.peers) {
    const reports = await peer.getStats();
    for (const report of reports.values())
      if (report.type === "inbound-rtp" && report.kind === "video") {
        rtp_bytes += report.bytesReceived;
        const codec = reports.get(report.codecId);
        if (codec) codecs.add(codec.mimeType.replace("video/", ""));
      }
  }
  return { at_ms: Date.now(), bytes: rtp_bytes + net.socket_bytes, codecs: [...codecs] };
}
"""

# A 60 Hz sampler: at each animation frame the number is read from the pixels of the picture.
SAMPLER_JS = f"""
([root, picture]) => {{
  const read = {barcode.READ_JS};
  if (window.__bench) window.__bench.is_over = true;
  const bench = (window.__bench = {{ seen: [], drawn: [], keys: [], samples: [], ready_ms: null, is_over: false }});
  // Date.now() has whole milliseconds: the finer clock is laid onto it, from below.
  let offset_ms = -Infinity;
  const now = () => {{
    const fine_ms = performance.now();
    offset_ms = Math.max(offset_ms, Date.now() - fine_ms);
    return fine_ms + offset_ms;
  }};
  let last = null;
  const sample = () => {{
    if (bench.is_over) return;
    requestAnimationFrame(sample);
    const now_ms = now();
    bench.samples.push(now_ms);
    if (bench.ready_ms === null && document.querySelector(root)) bench.ready_ms = now_ms;
    const view = document.querySelector(".reactor-viewer");
    if (view?.reactor && !view.reactor.onframe)
      view.reactor.onframe = ({{ latency_ms }}) => latency_ms !== null && bench.drawn.push([now(), latency_ms]);
    const source = document.querySelector(picture);
    if (!source || source.complete === false) return;
    const number = read(source);
    if (number !== null && number !== last) bench.seen.push([number, now()]);
    last = number ?? last;
  }};
  requestAnimationFrame(sample);
  addEventListener("keydown", () => bench.keys.push(now()), {{ capture: true }});
}}
"""

TAKE_JS = "() => ({ ...window.__bench, keys: [] })"

# One decoded picture as it is now, RGBA.
GRAB_JS = """
async (picture) => {
  await new Promise((done) => requestAnimationFrame(done));
  const source = document.querySelector(picture);
  const width = source.naturalWidth || source.videoWidth || source.width;
  const height = source.naturalHeight || source.videoHeight || source.height;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(source, 0, 0);
  const bytes = context.getImageData(0, 0, width, height).data;
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return [width, height, btoa(text)];
}
"""

# Calls through the View's own road, the data channel: when each left, under the number that it carries.
CALLS_JS = """
async ([first, count, pause_ms]) => {
  const reactor = document.querySelector(".reactor-viewer").reactor;
  const left = {};
  for (let index = first; index < first + count; index++) {
    left[index] = Date.now();
    reactor.call("touch", { index });
    await new Promise((done) => setTimeout(done, pause_ms));
  }
  return left;
}
"""
