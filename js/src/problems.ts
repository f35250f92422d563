// Why there is no picture, and what helps: one sentence each.

export const NO_WEBRTC =
  "This browser has no WebRTC, which carries the picture; open the notebook in a current Chrome, Edge, Firefox or Safari."

export const NO_ADDRESS =
  "The browser found no network address to connect from, so WebRTC cannot start; connect the machine to a network, or allow WebRTC in the browser's settings."

export const NO_ANSWER = "The kernel has not answered yet; the picture starts as soon as it is free."

export const NO_KERNEL_ADDRESS =
  "The kernel may not use any address that this page can reach; open the notebook at an address of the kernel's own machine."

export const NOT_FORMED =
  "The page could not reach the kernel by WebRTC, which is UDP and passes no ssh tunnel or web proxy; open the notebook at an address of the kernel's machine, on the same network."

export const LOST = "The connection to the kernel was lost."

export const STREAM_RESTARTED = "The stream was started again; the model plays on meanwhile."

export const KERNEL_GONE = "The kernel has ended or was restarted. Run the cell again."

export const KERNEL_SILENT = "The kernel does not answer. If it has restarted, run the cell again."

export const KERNEL_BUSY = "The kernel is busy with another cell; the picture starts as soon as it is free."

export const OTHER_VERSION = "This page's viewer is of another version than the kernel's reactor_nb; reload the page."

export function broken(cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return `The browser refused the connection (${reason}); reload the page, and report it if it stays.`
}
