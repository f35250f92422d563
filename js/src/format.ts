// Numbers and texts as the viewer shows them.

export function formatRate(rate_fps: number): string {
  return `${rate_fps.toFixed(rate_fps < 9.95 ? 1 : 0)} fps`
}

export function formatSize(width_px: number, height_px: number): string {
  return `${width_px}×${height_px}`
}

export function formatLatency(latency_ms: number): string {
  const shown_ms = Math.max(0, latency_ms)
  return shown_ms < 9999.5 ? `${shown_ms.toFixed(0)} ms` : `${(shown_ms / 1000).toFixed(0)} s`
}

export function formatElapsed(elapsed_s: number): string {
  const whole_s = Math.max(0, Math.floor(elapsed_s))
  if (whole_s < 60) return `${whole_s} s`
  const minutes = Math.floor(whole_s / 60)
  const seconds = String(whole_s % 60).padStart(2, "0")
  if (minutes < 60) return `${minutes}:${seconds}`
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${seconds}`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal escapes are control characters.
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g

/** Takes colours, cursor moves and links of a terminal out of a text. */
export function stripEscapes(text: string): string {
  return text.replace(ESCAPES, "")
}

export function lastLine(text: string): string {
  return (
    stripEscapes(text)
      .trimEnd()
      .split(/\r\n|\n|\r/)
      .at(-1)
      ?.trim() ?? ""
  )
}

/** The end of a text, from the start of a line, in about `max_chars`. */
export function tail(text: string, max_chars: number): string {
  if (text.length <= max_chars) return text
  const cut = text.slice(-max_chars)
  const line_end = cut.indexOf("\n")
  return `…\n${line_end === -1 ? cut : cut.slice(line_end + 1)}`
}
