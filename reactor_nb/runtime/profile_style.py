"""The colours of a profile: of JupyterLab's theme where it has one, else of light or dark as the reader's system is."""

from __future__ import annotations

from typing import Final

_SANS: Final = 'var(--jp-ui-font-family,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif)'

_GROUND: Final = (
    # (class, property, what the front end's theme says, light, dark)
    ("paper", "fill", "--jp-layout-color1", "#ffffff", "#17191c"),
    ("level-text", "stroke", "--jp-layout-color1", "#ffffff", "#17191c"),
    ("name", "fill", "--jp-ui-font-color1", "#1f2328", "#e9ecef"),
    ("figure", "fill", "--jp-ui-font-color1", "#1f2328", "#e9ecef"),
    ("strong", "fill", "--jp-ui-font-color1", "#1f2328", "#e3e5e8"),
    ("title", "fill", "--jp-ui-font-color1", "#3a4048", "#ccd1d7"),
    ("soft", "fill", "--jp-ui-font-color2", "#656d76", "#9aa2ac"),
    ("grid", "stroke", "--jp-border-color2", "#e3e6ea", "#2c3138"),
    ("rule", "stroke", "--jp-border-color2", "#dfe2e6", "#343a41"),
    ("base", "stroke", "--jp-border-color1", "#b4bac2", "#59616b"),
    ("level", "stroke", "--jp-ui-font-color1", "#1f2328", "#e9ecef"),
    ("dots", "stroke", "--jp-ui-font-color2", "#4b5563", "#aab2bc"),
    ("level-text", "fill", "--jp-ui-font-color1", "#1f2328", "#e9ecef"),
    ("paper", "stroke", "--jp-border-color2", "#e3e6ea", "#2c3138"),
)

_STAGES: Final = {
    "model": "#8a7fd4",
    "held": "#8a7fd4",
    "convert": "#4a98e0",
    "wait": "#98a2ae",
    "encode": "#ef8a3c",
    "send": "#e9bd3e",
    "receive": "#57b26a",
    "decode": "#2ba6a8",
    "paint": "#e0607e",
    "unknown": "#98a2ae",
}
"""Of middle lightness, so that each stands out on white and on black; neighbours differ in hue and lightness."""


def _ground(is_dark: bool) -> str:
    rules = []
    for name, key, variable, light, dark in _GROUND:
        plain = dark if is_dark else light
        # A viewer that knows no var() takes the first.
        rules.append(f".reactor-profile .{name}{{{key}:{plain};{key}:var({variable},{plain})}}")
    return "".join(rules)


STYLE: Final = (
    f".reactor-profile{{max-width:100%;height:auto;font:12px {_SANS}}}"
    ".reactor-profile text{font-variant-numeric:tabular-nums}"
    ".reactor-profile path{fill:none}"
    + "".join(f".reactor-profile .s-{name}{{fill:{colour};stroke:{colour}}}" for name, colour in _STAGES.items())
    + ".reactor-profile .bars{fill:none}.reactor-profile rect{stroke-width:0}"
    + ".reactor-profile .s-held,.reactor-profile .s-unknown,.reactor-profile .faint{opacity:.35}"
    ".reactor-profile .paper{stroke-width:1}"
    ".reactor-profile .mark{stroke:#d64545}"
    ".reactor-profile .skipped{fill:#d64545;font-size:11px}"
    ".reactor-profile .name{font-size:16px;font-weight:600}"
    ".reactor-profile .figure{font-size:19px;font-weight:500}"
    ".reactor-profile .strong{font-weight:500}"
    ".reactor-profile .title{font-size:12px;font-weight:500}"
    ".reactor-profile .small{font-size:10.5px}"
    ".reactor-profile .end{text-anchor:end}"
    ".reactor-profile .middle{text-anchor:middle}"
    ".reactor-profile .within{fill:#101316;font-size:11.5px;font-weight:500}"
    ".reactor-profile .level{stroke-dasharray:3 3;opacity:.75}"
    ".reactor-profile .level-text{font-size:10.5px;font-weight:600}"
    ".reactor-profile .level-text{stroke-width:3px;paint-order:stroke;stroke-linejoin:round}"
    ".reactor-profile .dots{stroke-width:2.6;stroke-linecap:round}"
    + _ground(is_dark=False)
    + f"@media(prefers-color-scheme:dark){{{_ground(is_dark=True)}}}"
)
