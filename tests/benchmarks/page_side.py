"""What runs in the page under measurement, the same for every peer."""

from __future__ import annotations

from tests.support import barcode

# A 60 Hz sampler: at each animation frame the number is read from the pixels of the picture.
SAMPLER_JS = f"""
(selector) => {{
  const read = {barcode.READ_JS};
  const bench = (window.__bench = {{ seen: [], drawn: [], keys: [], called: [] }});
  let last = null;
  const sample = () => {{
    requestAnimationFrame(sample);
    const view = document.querySelector(".reactor-viewer");
    if (view?.reactor && !view.reactor.onframe)
      view.reactor.onframe = (frame) => frame.latency_ms !== null && bench.drawn.push([Date.now(), frame.latency_ms]);
    const source = document.querySelector(selector);
    if (!source || source.complete === false) return;
    const now_ms = Date.now();
    const number = read(source);
    if (number !== null && number !== last) bench.seen.push([number, now_ms]);
    last = number ?? last;
  }};
  requestAnimationFrame(sample);
  addEventListener("keydown", () => bench.keys.push(Date.now()), {{ capture: true }});
}}
"""

# Calls through the View's own road, the data channel: when each left, under the number that it carries.
CALLS_JS = """
async ([first, count, pause_ms]) => {
  const reactor = document.querySelector(".reactor-viewer").reactor;
  const left = {};
  for (let index = first; index < first + count; index++) {
    left[index] = Date.now();
    reactor.call("touch", { index });
    await new Promise((done) => setTimeout(done, pause_ms));
  }
  return left;
}
"""
