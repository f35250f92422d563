// Calls of the model's commands, each of which is answered: by a reply, by a loss of the road, or by the clock.
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
      const pending: Pending = { resolve, reject, timer, road: "comm" }
      this.#pending.set(id, pending)
      try {
        pending.road = this.#send(request)
      } catch (cause) {
        this.#settle(id)
        reject(new CallError({ code: "carrier", message: `${name} could not be sent: ${String(cause)}` }))
      }
    })
  }

  /** Replies to calls of other views have other ids and are left to them. */
  answer(reply: ReplyMessage): void {
    const pending = this.#settle(reply.id)
    if (pending === null) return
    if (reply.error) pending.reject(new CallError(reply.error))
    else pending.resolve(reply.result)
  }

  /** The road broke: its calls may have been applied, but no reply can come. */
  lose(road: Road | "all", message: string): void {
    for (const [id, pending] of [...this.#pending]) {
      if (road !== "all" && pending.road !== road) continue
      this.#settle(id)?.reject(new CallError({ code: "carrier", message }))
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
