// The bytes beside a widget's message: front ends give them as they like.

/** The first buffer, without a copy where it has memory of its own; null where there is none. */
export function bytesOf(buffers: unknown): Uint8Array<ArrayBuffer> | null {
  const first: unknown = Array.isArray(buffers) ? buffers[0] : null
  if (first instanceof ArrayBuffer) return new Uint8Array(first)
  if (!ArrayBuffer.isView(first)) return null
  const { buffer, byteOffset, byteLength } = first
  return buffer instanceof ArrayBuffer ? new Uint8Array(buffer, byteOffset, byteLength) : null
}
