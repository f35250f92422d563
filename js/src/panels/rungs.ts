// Which ways the picture could take to this page, which it takes, and why it does not take a better one.
import { element, setText } from "../dom"

export interface RungFacts {
  /** Why a rung does not bring the picture, by its name, best first; "" for the one that does. */
  rungs: Record<string, string>
  /** Further words on the one that does, as the codec. */
  detail: string
}

export class RungPanel {
  readonly root: HTMLElement
  readonly #list = element("dl", "reactor-rung-list")
  readonly #button: HTMLButtonElement
  #facts: RungFacts | null = null
  readonly #rows = new Map<string, { name: HTMLElement; reason: HTMLElement }>()

  /** Opened and closed by `button`, and by a click on `line`, in which the button is. */
  constructor(button: HTMLButtonElement, line: HTMLElement, id: string, signal: AbortSignal) {
    this.#button = button
    this.root = element("section", "reactor-rungs", {
      id,
      hidden: "",
      role: "region",
      "aria-label": "Ways of the picture to this page",
    })
    this.root.append(this.#list)
    button.setAttribute("aria-controls", id)
    button.setAttribute("aria-expanded", "false")
    line.addEventListener("click", () => this.#open(this.root.hidden !== false), { signal })
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || this.root.hidden) return
      event.stopPropagation()
      this.#open(false)
      button.focus({ preventScroll: true })
    }
    for (const part of [line, this.root]) part.addEventListener("keydown", onKey, { signal })
  }

  show(facts: RungFacts): void {
    this.#facts = facts
    if (!this.root.hidden) this.#write(facts)
  }

  #write({ rungs, detail }: RungFacts): void {
    for (const [name, why] of Object.entries(rungs)) {
      const row = this.#rows.get(name) ?? this.#add(name)
      const is_used = why === ""
      row.name.classList.toggle("reactor-is-used", is_used)
      setText(row.reason, is_used ? ["in use", detail].filter(Boolean).join(" · ") : why)
    }
  }

  #add(name: string): { name: HTMLElement; reason: HTMLElement } {
    const row = {
      name: element("dt", "reactor-rung", {}, name),
      reason: element("dd", "reactor-rung-why"),
    }
    this.#rows.set(name, row)
    this.#list.append(row.name, row.reason)
    return row
  }

  #open(is_open: boolean): void {
    this.root.hidden = !is_open
    if (is_open && this.#facts !== null) this.#write(this.#facts)
    this.#button.setAttribute("aria-expanded", String(is_open))
  }
}
