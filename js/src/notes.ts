// What a person should know of the connection while a picture is on the canvas.
import type { Calls } from "./calls"
import type { Connection } from "./connection"
import * as problems from "./problems"

/** A call that is not answered for so long, by a kernel that answers nothing else either, waits for a cell. */
const BUSY_MS = 700
/** Without a word for so long something is wrong, however slow the network. */
const UNHEARD_MS = 8000

/** A few words for the status line; "" for nothing. */
export function note(calls: Calls, connection: Connection, now_ms: number): string {
  const is_waiting = calls.waiting_ms("comm", now_ms) > BUSY_MS
  if (is_waiting && connection.unanswered_ms(now_ms) > BUSY_MS) return problems.CONTROLS_WAIT
  return connection.unheard_ms(now_ms) > UNHEARD_MS ? problems.UNHEARD : ""
}
