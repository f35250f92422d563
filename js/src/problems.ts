// Why there is no picture, and what helps: one sentence each.

export const NO_WEBRTC =
  "This browser has no WebRTC, which carries the picture; open the notebook in a current Chrome, Edge, Firefox or Safari."

export const NO_ADDRESS =
  "The browser found no network address to connect from, so WebRTC cannot start; connect the machine to a network, or allow WebRTC in the browser's settings."

export const NO_ANSWER =
  "The kernel has not answered yet, as while a cell runs; it is asked again, or interrupt the cell."

export const NO_KERNEL_ADDRESS =
  "The kernel may not use any address that this page can reach; open the notebook at an address of the kernel's own machine."

export const NOT_FORMED =
  "No UDP came through between this page and the kernel's machine, as where a firewall, an ssh tunnel or a web proxy stands between them. A TURN server passes it: set REACTOR_NB_ICE_SERVERS for the kernel and run the cell again."

export const NOT_RELAYED =
  "Neither a direct way nor a TURN server of REACTOR_NB_ICE_SERVERS brought this page and the kernel together; look whether both reach the server, and whether its user name and credential are right."

export const LOST = "The connection to the kernel was lost."

export const SILENT = "Nothing more came by WebRTC, as when the network changes; it is tried again."

export const TRYING = "is being tried"

export const NOT_CHOSEN = "was not asked for; this leaves every rung: %reactor run --carrier auto"

export const NOT_SECURE =
  "Browsers decode video for secure pages only; open the notebook by https, or at localhost, for example through an ssh tunnel."

export const NO_WEBCODECS =
  "This browser has no WebCodecs; open the notebook in a current Chrome, Edge, Firefox or Safari."

export const NO_CODEC = "This browser decodes none of the video codecs that the kernel has here; images need none."

/** Of a browser's video decoder. */
export function decoderFailed(codec: string, why: string): string {
  return `This browser's decoder of ${codec} failed (${why}); images are sent instead.`
}

/** Of a rung that works and is not needed. */
export function standsBy(rung: string | null): string {
  return rung === null ? TRYING : "stands by"
}

export const UNHEARD = "nothing comes from the kernel; if it has restarted, run the cell again"

export const CONTROLS_WAIT = "kernel busy: controls wait"

export const STREAM_RESTARTED = "The stream was started again; the model plays on meanwhile."

export const KERNEL_GONE = "The kernel has ended or was restarted. Run the cell again."

export const KERNEL_SILENT = "The kernel does not answer. If it has restarted, run the cell again."

export const KERNEL_BUSY = "The kernel is busy with another cell; the picture starts as soon as it is free."

export const OTHER_VERSION = "This page's viewer is of another version than the kernel's reactor_nb; reload the page."

export function broken(cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return `The browser refused the connection (${reason}); reload the page, and report it if it stays.`
}
