// Calls of the model's commands, each of which is answered: by a reply, by the end of the view, or by the clock.
import type { CallMessage, ControlMessage, ReplyMessage, WireError } from "./protocol"

/** A command may take long; an answer later than this has no reader left. */
const CALL_TIMEOUT_MS = 120_000

export class CallError extends Error {
  readonly code: string
  readonly fields: Record<string, string>
  readonly traceback: string

  constructor(error: WireError) {
    super(error.message)
    this.name = "CallError"
    this.code = error.code
    this.fields = error.fields ?? {}
    this.traceback = error.traceback ?? ""
  }
}

interface Pending {
  request: Request
  name: string
  sent_ms: number
  resolve(result: unknown): void
  reject(error: CallError): void
  timer: ReturnType<typeof setTimeout>
  road: Road
}

/** How a message goes to the kernel: by WebRTC's data channel, or by the widget's comm. */
export type Road = "channel" | "comm"

/** What is answered by a `reply` of the same id. */
export type Request = CallMessage | ControlMessage

export class Calls {
  readonly #pending = new Map<string, Pending>()
  readonly #send: (request: Request) => Road

  /** `send` puts the request on a road and says which. */
  constructor(send: (request: Request) => Road) {
    this.#send = send
  }

  call(name: string, params: Record<string, unknown> = {}): Promise<unknown> {
    return this.request({ type: "call", id: randomId(), name, params }, name)
  }

  /** Sends it; resolves with the result of its reply. `name` is what an error calls it. Rejects with a CallError. */
  request(request: Request, name: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { id } = request
      const timer = setTimeout(() => {
        this.#settle(id)?.reject(
          new CallError({
            code: "call_timeout",
            message: `${name} was not answered within ${CALL_TIMEOUT_MS / 1000} s.`,
          }),
        )
      }, CALL_TIMEOUT_MS)
      const pending: Pending = { request, name, sent_ms: performance.now(), resolve, reject, timer, road: "comm" }
      this.#pending.set(id, pending)
      this.#put(pending)
    })
  }

  /** Replies to calls of other views have other ids and are left to them. */
  answer(reply: ReplyMessage): void {
    const pending = this.#settle(reply.id)
    if (pending === null) return
    if (reply.error) pending.reject(new CallError(reply.error))
    else pending.resolve(reply.result)
  }

  /**
   * Another road is the best now: what waits for an answer on another is sent again, in its order, under its id. The kernel
   * carries out each id once, so a call whose reply was lost is answered again.
   */
  reroute(road: Road): void {
    for (const pending of [...this.#pending.values()]) {
      if (pending.road !== road) this.#put(pending)
    }
  }

  /** For how long the oldest call has waited on a road; 0 where none does. */
  waiting_ms(road: Road, now_ms: number): number {
    for (const pending of this.#pending.values()) {
      if (pending.road === road) return now_ms - pending.sent_ms
    }
    return 0
  }

  /** No answer can come any more: the calls may have been carried out. */
  lose(message: string): void {
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(new CallError({ code: "carrier", message }))
  }

  #put(pending: Pending): void {
    const { request, name } = pending
    try {
      pending.road = this.#send(request)
    } catch (cause) {
      const message = `${name} could not be sent: ${String(cause)}`
      this.#settle(request.id)?.reject(new CallError({ code: "carrier", message }))
    }
  }

  #settle(id: string): Pending | null {
    const pending = this.#pending.get(id)
    if (pending === undefined) return null
    clearTimeout(pending.timer)
    this.#pending.delete(id)
    return pending
  }
}

/** 128 random bits. `crypto.randomUUID` is missing where the page is not a secure context. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")
}
