// A stand-in for the kernel in the viewer's own page: a fake anywidget model, a WebRTC peer that streams a canvas, and
// packets of it by comm.
export class FakeKernel {
  /** `has_udp`: WebRTC finds a way. `is_deaf`: what the page says by comm, after its greeting, waits for a cell. */
  constructor(
    traits,
    { width_px = 640, height_px = 480, is_busy = false, is_blank = false, has_udp = true, is_deaf = false } = {},
  ) {
    this.traits = {
      model_name: "plasma",
      state: "idle",
      session_id: 1,
      loading_since_ms: 0,
      error: null,
      log: "",
      ...traits,
    }
    this.traits.has_poster ??= false
    this.traits.help ??= ""
    this.traits.carrier ??= "auto"
    this.is_busy = is_busy
    this.has_udp = has_udp
    this.is_deaf = is_deaf
    this.carried = new Map()
    this.sequence = 0
    this.encoder = null
    this.is_blank = is_blank
    this.sent = []
    this.listeners = new Map()
    this.source = Object.assign(document.createElement("canvas"), { width: width_px, height: height_px })
    this.peers = new Map()
    this.timer = setInterval(() => this.draw(), 1000 / 30)
    this.frame = 0
  }

  get(name) {
    return this.traits[name]
  }

  set(changes) {
    Object.assign(this.traits, changes)
    for (const name of Object.keys(changes)) this.emit(`change:${name}`)
  }

  on(event, listener) {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener])
  }

  off(event, listener) {
    this.listeners.set(
      event,
      (this.listeners.get(event) ?? []).filter((known) => known !== listener),
    )
  }

  emit(event, ...values) {
    for (const listener of this.listeners.get(event) ?? []) listener(...values)
  }

  get listening() {
    return [...this.listeners.values()].flat().length
  }

  send(message) {
    this.sent.push(message)
    if (this.is_busy) return
    if (message.type === "ready") this.tell({ type: "hello", view_id: message.view_id, protocol: 1, ice_servers: [] })
    else if (message.type === "offer") void this.answer(message)
    else if (message.type === "carry") this.carry(message)
    else if (this.is_deaf) return
    else if (message.type === "bye") this.hangUp(message.view_id)
    else if (message.type === "ping")
      this.tell({ type: "pong", to: [message.view_id], sent_ms: message.sent_ms, kernel_ms: this.now_ms() })
    else if (message.type === "call") this.tell({ type: "reply", id: message.id, result: message.params })
    else if (message.type === "stop") this.set({ state: "ended" })
    else if (message.type === "start")
      this.set({ state: "streaming", session_id: this.traits.session_id + 1, error: null })
  }

  tell(message, buffers = []) {
    setTimeout(() => this.emit("msg:custom", message, buffers))
  }

  now_ms() {
    return performance.now() + 5_000_000
  }

  /** By comm from now on, or no more: as VP8 where the page decodes it, else as JPEG. */
  carry({ view_id, codecs, is_watching }) {
    this.encoder?.close()
    this.encoder = null
    this.carried.delete(view_id)
    if (!is_watching || this.is_blank) return
    const codec = codecs.includes("VP8") ? "VP8" : "JPEG"
    this.carried.set(view_id, codec)
    if (codec !== "VP8") return
    const { width, height } = this.source
    const send = (chunk) => {
      const bytes = new ArrayBuffer(chunk.byteLength)
      chunk.copyTo(bytes)
      this.sendPacket("VP8", bytes, chunk.type === "key", chunk.timestamp / 1000)
    }
    this.encoder = new VideoEncoder({ output: send, error: console.error })
    this.encoder.configure({ codec: "vp8", width, height, latencyMode: "realtime", bitrate: 4_000_000 })
  }

  async encode() {
    if (this.encoder !== null) {
      const frame = new VideoFrame(this.source, { timestamp: this.now_ms() * 1000 })
      this.encoder.encode(frame)
      frame.close()
    } else if (this.carried.size > 0) {
      const shown_ms = this.now_ms()
      const blob = await new Promise((done) => this.source.toBlob(done, "image/jpeg", 0.85))
      this.sendPacket("JPEG", await blob.arrayBuffer(), true, shown_ms)
    }
  }

  sendPacket(codec, bytes, is_keyframe, shown_kernel_ms) {
    const { width, height } = this.source
    this.sequence += 1
    const message = {
      type: "packet",
      to: [...this.carried.keys()],
      sequence: this.sequence,
      codec,
      is_keyframe,
      rtp_timestamp: Math.round(shown_kernel_ms * 90) >>> 0,
      shown_kernel_ms,
      width_px: width,
      height_px: height,
      rate_fps: 30,
      ack_every: 8,
    }
    this.tell(message, [new DataView(bytes)])
  }

  async answer({ view_id, offer_id, sdp }) {
    const peer = new RTCPeerConnection()
    this.hangUp(view_id)
    this.peers.set(view_id, peer)
    if (!this.is_blank) peer.addTrack(this.source.captureStream(30).getVideoTracks()[0])
    peer.addEventListener("datachannel", ({ channel }) => {
      peer.channel = channel
      channel.addEventListener("message", ({ data }) => this.receive(channel, JSON.parse(data)))
    })
    await peer.setRemoteDescription({ type: "offer", sdp })
    await peer.setLocalDescription()
    await new Promise((done) => setTimeout(done, 200))
    const { sdp: answer } = peer.localDescription
    const nowhere = answer.replace(/^(a=candidate:.* udp \d+) \S+ \d+/gm, "$1 192.0.2.1 9")
    this.tell({ type: "answer", view_id, offer_id, sdp: this.has_udp ? answer : nowhere })
    if (!this.has_udp) this.hangUp(view_id)
  }

  receive(channel, message) {
    if (message.type === "ping") {
      channel.send(JSON.stringify({ type: "pong", sent_ms: message.sent_ms, kernel_ms: this.now_ms() }))
    } else if (message.type === "call") {
      channel.send(JSON.stringify({ type: "reply", id: message.id, result: message.params }))
    } else this.sent.push(message)
  }

  /** Tells when the frame with this timestamp was emitted: here, just before it was drawn. */
  setOrigin(rtp_timestamp, emitted_page_ms) {
    const { width, height } = this.source
    for (const { channel } of this.peers.values()) {
      channel?.send(
        JSON.stringify({
          type: "stream",
          width_px: width,
          height_px: height,
          rate_fps: 30,
          rtp_origin: rtp_timestamp,
          rtp_origin_kernel_ms: emitted_page_ms + 5_000_000,
          codec: "VP8",
        }),
      )
    }
  }

  hangUp(view_id) {
    this.peers.get(view_id)?.close()
    this.peers.delete(view_id)
  }

  draw() {
    const { width, height } = this.source
    const context = this.source.getContext("2d")
    this.frame += 1
    const turn = this.frame / 60
    context.fillStyle = "#0b1026"
    context.fillRect(0, 0, width, height)
    for (let blob = 0; blob < 7; blob += 1) {
      const x = width * (0.5 + 0.38 * Math.sin(turn * (0.5 + blob * 0.13) + blob * 1.7))
      const y = height * (0.5 + 0.38 * Math.cos(turn * (0.4 + blob * 0.11) + blob * 2.3))
      const glow = context.createRadialGradient(x, y, 0, x, y, width * 0.42)
      glow.addColorStop(0, `hsl(${(blob * 47 + this.frame) % 360} 90% 60% / 0.75)`)
      glow.addColorStop(1, "transparent")
      context.fillStyle = glow
      context.fillRect(0, 0, width, height)
    }
    void this.encode()
  }

  close() {
    clearInterval(this.timer)
    this.encoder?.close()
    for (const view_id of [...this.peers.keys()]) this.hangUp(view_id)
  }
}
