// The anywidget entry: each view lives from its render to the end of its signal.
import type { AnyWidget, RenderProps } from "@anywidget/types"
import type { ModelPort, ViewerTraits } from "./model"
import { thisPage } from "./page"
import { View } from "./view"

function render({ model, el, signal }: RenderProps<ViewerTraits & Record<string, unknown>>): () => void {
  // Hosts older than anywidget 0.11 give no signal and call what is returned instead.
  const controller = new AbortController()
  const end = () => controller.abort()
  if (signal?.aborted) return end
  signal?.addEventListener("abort", end, { once: true })
  const view = new View(model as ModelPort, thisPage(), controller.signal)
  el.append(view.root)
  return end
}

const widget: AnyWidget<ViewerTraits & Record<string, unknown>> = { initialize: () => undefined, render }

export default widget
