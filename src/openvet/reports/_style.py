"""How pages look: what all of them share. Fonts are those of the reader's system; colours have 4.5 to 1 and more on what is behind them."""

from __future__ import annotations

from typing import Final

__all__ = ["ANSWERS", "BASE", "CARDS"]

_LIGHT: Final = """
--back: #ffffff; --panel: #f6f7f9; --text: #1c2128; --soft: #57606a; --rule: #dfe3e8; --edge: #8c959f; --link: #0b57d0;
--good: #14683a; --good-back: #e9f6ee; --open: #7a4b00; --open-back: #fdf4df; --bad: #a3211b; --bad-back: #fdeeed;
--line: #0b57d0; --area: #0b57d01f;
"""
_DARK: Final = """
--back: #15181c; --panel: #1d2127; --text: #e4e7eb; --soft: #a4adb7; --rule: #333a42; --edge: #6e7781; --link: #8ab4f8;
--good: #7fdca0; --good-back: #15291d; --open: #efc25f; --open-back: #2c2411; --bad: #ffa098; --bad-back: #341a1b;
--line: #8ab4f8; --area: #8ab4f826;
"""

BASE: Final = (
    ":root { color-scheme: light dark;" + _LIGHT + "}\n"
    "@media screen and (prefers-color-scheme: dark) { :root {"
    + _DARK
    + "} }\n"
    + """
*, ::before, ::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1rem; }
body {
  margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem 4rem; background: var(--back); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; overflow-wrap: break-word;
}
h1, h2, h3, h4 { line-height: 1.25; margin: 0; font-weight: 650; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; letter-spacing: -0.01em; } h2 { font-size: 1.25rem; margin-top: 2.75rem; } h3 { font-size: 1.05rem; margin-top: 1.75rem; }
h4 { font-size: 0.95rem; margin-top: 1.25rem; }
p { margin: 0.6rem 0; } ul, ol { margin: 0.6rem 0; padding-left: 1.3rem; } li { margin: 0.2rem 0; }
a { color: var(--link); text-underline-offset: 0.15em; } a:hover { text-decoration-thickness: 2px; }
main:focus { outline: none; } :focus-visible { outline: 2px solid var(--link); outline-offset: 3px; border-radius: 3px; }
code, pre, .mono { font-family: ui-monospace, "SF Mono", SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; font-size: 0.88em; }
code { overflow-wrap: anywhere; unicode-bidi: isolate; } pre { background: var(--panel); border-radius: 8px; padding: 0.8rem 1rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
.soft { color: var(--soft); } .small { font-size: 0.875rem; }
.good, .yes, .consistent, .added, ins { color: var(--good); } .open, .tight, .cannot-tell, .changed, .moved { color: var(--open); }
.bad, .no, .not-consistent, .removed, del { color: var(--bad); } ins, del { text-decoration: none; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; font-size: 0.9375rem; }
caption { text-align: left; font-weight: 600; padding-bottom: 0.4rem; }
th, td { text-align: left; vertical-align: top; padding: 0.45rem 1rem 0.45rem 0; border-bottom: 1px solid var(--rule); overflow-wrap: anywhere; font-weight: inherit; color: inherit; }
tbody th { min-width: 6.5rem; } tbody td { min-width: 5.25rem; } th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-size: 0.8125rem; font-weight: 600; padding-bottom: 0.3rem; overflow-wrap: normal; }
.pairs { margin: 0.8rem 0; } .pairs > div { display: grid; grid-template-columns: 10.5rem minmax(0, 1fr); gap: 0 1rem; padding: 0.4rem 0; border-bottom: 1px solid var(--rule); }
.pairs > div:last-child { border-bottom: 0; } .pairs dt { color: var(--soft); } .pairs dd { margin: 0; overflow-wrap: anywhere; }
details { margin: 0.8rem 0; } summary { cursor: pointer; color: var(--link); width: fit-content; } details[open] > summary { margin-bottom: 0.4rem; }
figure { margin: 1.25rem 0; } .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 0 2rem; } figcaption { color: var(--soft); font-size: 0.875rem; margin-top: 0.4rem; } .wide { overflow-x: auto; }
svg { max-width: 100%; height: auto; } svg text { font-family: inherit; font-size: 12px; fill: var(--text); } svg .y, svg .x, svg .what { fill: var(--soft); }
svg .what { font-size: 11px; } svg > .what { paint-order: stroke; stroke: var(--back); stroke-width: 4px; stroke-linejoin: round; } svg .y, svg .word, svg .end { text-anchor: end; } svg .word { fill: var(--bad); } svg .grid { stroke: var(--rule); }
svg .area { fill: var(--area); } svg .line { fill: none; stroke: var(--line); stroke-width: 2; stroke-linejoin: round; } svg .mark { stroke: var(--bad); stroke-dasharray: 6 4; }
svg .bar { fill: var(--line); } svg .box { fill: var(--panel); stroke: var(--edge); } svg path { fill: none; stroke: var(--edge); stroke-width: 1.5; } svg .measured { stroke-width: 3; }
svg path.consistent { stroke: var(--good); } svg path.not-consistent { stroke: var(--bad); stroke-dasharray: 6 4; } svg path.cannot-tell { stroke: var(--open); stroke-dasharray: 2 4; }
.icon path { stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; } .wide svg { max-width: none; }
@media screen and (max-width: 42rem) {
  body { padding: 1.25rem 1rem 3rem; } h1 { font-size: 1.45rem; } h2 { margin-top: 2.25rem; }
  .pairs > div { grid-template-columns: 1fr; } .pairs dt { font-size: 0.8125rem; }
  table, caption, tbody, tr, th, td { display: block; width: 100%; } thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tbody tr { border: 1px solid var(--rule); border-radius: 8px; padding: 0.5rem 0.8rem; margin: 0.6rem 0; }
  tbody th, tbody td { border: 0; padding: 0.2rem 0; min-width: 0; } tbody th { font-weight: 600; } tbody td:empty { display: none; }
  tbody td[data-label]:not([data-label=""])::before { content: attr(data-label); display: block; color: var(--soft); font-size: 0.8125rem; }
}
@media print {
  @page { margin: 16mm 14mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt system-ui, sans-serif; color: #57606a; } }
  :root { color-scheme: light; } body { max-width: none; padding: 0; font-size: 10pt; } .screen { display: none; } :focus { outline: none; }
  h1, h2, h3, h4, caption, summary { break-after: avoid; } tr, figure, .answer, .pairs > div, li { break-inside: avoid; } thead { display: table-header-group; }
  h2 { margin-top: 1.6rem; } p, li { orphans: 3; widows: 3; } a { color: inherit; text-decoration: none; } table { font-size: 9pt; }
  details::details-content { content-visibility: visible; block-size: auto; height: auto; } summary { color: inherit; list-style: none; }
  .wide { overflow: visible; } .wide svg { max-width: 100%; height: auto; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
)

#: The answer at the top of a page, and words in their colours.
ANSWERS: Final = """.over { color: var(--soft); font-size: 0.8125rem; font-weight: 600; letter-spacing: 0.04em; margin: 0 0 0.35rem; }
.skip { position: absolute; left: -100vw; } .skip:focus { position: static; }
.answer { display: flex; gap: 1rem; align-items: flex-start; margin: 1.1rem 0 0; padding: 1.1rem 1.25rem; border-radius: 12px; border-left: 5px solid currentColor; }
.answer p { margin: 0; } .answer .word { font-size: 1.35rem; line-height: 1.2; } .answer .because { color: var(--text); font-size: 1.0625rem; margin-top: 0.3rem; overflow-wrap: anywhere; }
.answer .small { color: var(--text); margin-top: 0.35rem; } .icon { flex: none; margin-top: 0.05rem; }
.answer.good, .chip.good { background: var(--good-back); } .answer.open, .chip.open { background: var(--open-back); } .answer.bad, .chip.bad { background: var(--bad-back); }
.chip { display: inline-block; padding: 0.05rem 0.55rem; border-radius: 1rem; font-size: 0.8125rem; font-weight: 600; line-height: 1.5; white-space: nowrap; }
.chip.calm { background: var(--panel); color: var(--soft); }
"""

#: Lists without marks, and what is framed.
CARDS: Final = """.plain { list-style: none; padding: 0; } .plain li { margin: 0.4rem 0; }
.card { border: 1px solid var(--rule); border-left: 4px solid var(--edge); border-radius: 10px; padding: 0.9rem 1.1rem; margin: 0.9rem 0; color: var(--text); }
.card.bad { border-left-color: var(--bad); } .card.open { border-left-color: var(--open); } .card.good { border-left-color: var(--good); }
.card h3, .card h4, .card h5 { text-wrap: wrap; margin: 0; font-size: 1rem; line-height: 1.5; } .card p { margin: 0.45rem 0; } .card > :last-child { margin-bottom: 0; }
"""
