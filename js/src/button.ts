// The anywidget entry of a button that counts its presses, so that the View beside it can tell of them by its own road.
import type { AnyWidget, RenderProps } from "@anywidget/types"

interface ButtonTraits extends Record<string, unknown> {
  description: string
  tooltip: string | null
  icon: string
  presses: number
}

function render({ model, el, signal }: RenderProps<ButtonTraits>): () => void {
  const controller = new AbortController()
  const end = () => controller.abort()
  if (signal?.aborted) return end
  signal?.addEventListener("abort", end, { once: true })

  const button = document.createElement("button")
  button.type = "button"
  // The classes of ipywidgets' own button, so that it looks like its neighbours in every theme.
  button.className = "lm-Widget jupyter-widgets jupyter-button widget-button reactor-press"
  // As wide as its words, and not as all buttons of ipywidgets are.
  button.style.width = "auto"
  button.dataset.lmSuppressShortcuts = "true"
  const show = () => {
    const icon = model.get("icon")
    const parts: (Node | string)[] = [model.get("description")]
    if (icon) {
      const mark = document.createElement("i")
      mark.className = `fa fa-${icon}`
      mark.setAttribute("aria-hidden", "true")
      parts.unshift(mark, " ")
    }
    button.replaceChildren(...parts)
    button.title = model.get("tooltip") ?? ""
  }
  const press = () => {
    model.set("presses", model.get("presses") + 1)
    model.save_changes()
  }
  button.addEventListener("click", press, { signal: controller.signal })
  for (const trait of ["description", "tooltip", "icon"] as const) model.on(`change:${trait}`, show)
  controller.signal.addEventListener("abort", () => {
    for (const trait of ["description", "tooltip", "icon"] as const) model.off(`change:${trait}`, show)
  })
  show()
  el.append(button)
  return end
}

const widget: AnyWidget<ButtonTraits> = { render }

export default widget
