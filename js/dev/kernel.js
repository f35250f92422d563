// A stand-in for the kernel in the viewer's own page: a fake anywidget model, and a WebRTC peer that streams a canvas.
export class FakeKernel {
  constructor(traits, { width_px = 640, height_px = 480, is_busy = false, is_blank = false } = {}) {
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
    this.is_busy = is_busy
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
    else if (message.type === "bye") this.hangUp(message.view_id)
    else if (message.type === "stop") this.set({ state: "ended" })
    else if (message.type === "start")
      this.set({ state: "streaming", session_id: this.traits.session_id + 1, error: null })
  }

  tell(message) {
    setTimeout(() => this.emit("msg:custom", message))
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
    this.tell({ type: "answer", view_id, offer_id, sdp: peer.localDescription.sdp })
  }

  receive(channel, message) {
    if (message.type === "ping") {
      channel.send(JSON.stringify({ type: "pong", sent_ms: message.sent_ms, kernel_ms: performance.now() + 5_000_000 }))
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
  }

  close() {
    clearInterval(this.timer)
    for (const view_id of [...this.peers.keys()]) this.hangUp(view_id)
  }
}
