"""The style sheet of the pages: that of the reports, and what forms and lists want."""

from __future__ import annotations

import hashlib
from typing import Final

from openvet.reports._style import ANSWERS, BASE, CARDS

__all__ = ["STYLE", "STYLE_NAME"]

_OWN: Final = """
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 1.1rem; margin: -0.75rem 0 1.75rem; padding-bottom: 0.8rem; border-bottom: 1px solid var(--rule); font-size: 0.9375rem; }
.bar .brand { font-weight: 700; color: var(--text); text-decoration: none; } .bar nav { flex: 1; } .bar ul { list-style: none; display: flex; flex-wrap: wrap; gap: 0.3rem 1.1rem; margin: 0; padding: 0; }
.bar li { margin: 0; } .bar nav a { text-decoration: none; display: inline-block; padding: 0.2rem 0; } .bar nav a:hover { text-decoration: underline; } .bar [aria-current] { color: var(--text); font-weight: 600; border-bottom: 2px solid var(--link); }
.bar form { margin: 0; display: flex; align-items: center; gap: 0.8rem; }
label, legend, .label { display: block; font-weight: 600; font-size: 0.9375rem; margin: 0.9rem 0 0.25rem; padding: 0; } .hint { color: var(--soft); font-size: 0.875rem; margin: 0.15rem 0 0.3rem; }
fieldset { border: 0; margin: 0.9rem 0 0; padding: 0; min-width: 0; } .check { display: flex; gap: 0.5rem; align-items: baseline; font-weight: 400; margin: 0.3rem 0; } .check input { flex: none; }
input, select, textarea, button, .button { font: inherit; color: var(--text); background: var(--back); border: 1px solid var(--edge); border-radius: 8px; padding: 0.45rem 0.7rem; max-width: 100%; }
input[type="checkbox"], input[type="radio"] { width: 1.15rem; height: 1.15rem; accent-color: var(--link); vertical-align: -0.2rem; }
input[type="text"], input[type="password"], input[type="search"], input[type="number"], input[type="date"], textarea { width: 100%; } textarea { min-height: 5.5rem; resize: vertical; }
button, .button { cursor: pointer; background: var(--panel); font-weight: 600; text-decoration: none; display: inline-block; line-height: 1.5; } button:hover, .button:hover { border-color: var(--text); }
button.main, .button.main { background: var(--link); border-color: var(--link); color: var(--back); } button.danger { color: var(--bad); border-color: var(--bad); } button.link { border: 0; background: none; color: var(--link); padding: 0.2rem 0; font-weight: 400; text-decoration: underline; text-underline-offset: 0.15em; }
.narrow { max-width: 26rem; } .buttons { display: flex; flex-wrap: wrap; gap: 0.6rem; margin-top: 1rem; align-items: center; }
.filter { display: flex; flex-wrap: wrap; gap: 0.6rem 1rem; align-items: end; margin: 1rem 0; } .filter > div { flex: 0 1 auto; } .filter label { margin-top: 0; } .filter .grow { flex: 1 1 14rem; }
.tell { padding: 0.7rem 1rem; border-radius: 10px; border-left: 4px solid currentColor; margin: 1rem 0; } .tell p { margin: 0; color: var(--text); overflow-wrap: anywhere; }
.tell.good { background: var(--good-back); } .tell.bad { background: var(--bad-back); } .tell.open { background: var(--open-back); }
.said { white-space: pre-wrap; overflow-wrap: anywhere; } .secret { user-select: all; display: block; padding: 0.7rem 1rem; background: var(--panel); border: 1px solid var(--edge); border-radius: 8px; overflow-wrap: anywhere; }
.voices { list-style: none; padding: 0; } .voices > li { border-left: 3px solid var(--rule); padding: 0.1rem 0 0.1rem 1rem; margin: 1rem 0; } .voices p { margin: 0.2rem 0; }
.choices { display: flex; flex-wrap: wrap; gap: 0.1rem 1rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 0.8rem; list-style: none; padding: 0; margin: 1rem 0; } .tiles li { border: 1px solid var(--rule); border-radius: 10px; padding: 0.7rem 1rem; margin: 0; }
.tiles strong { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; } .tiles a { text-decoration: none; }
input[type="text"].hidden { width: 1px; padding: 0; border: 0; } .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
td form, li form { margin: 0; } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; } td .check { margin: 0; }
.pager { display: flex; gap: 1rem; margin: 1rem 0; } footer { margin-top: 3.5rem; padding-top: 1rem; border-top: 1px solid var(--rule); color: var(--soft); font-size: 0.875rem; }
progress { width: 100%; accent-color: var(--link); } h2:first-of-type { margin-top: 2rem; } .two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 0 2rem; }
@media screen and (max-width: 42rem) { td.number { text-align: left; } .bar { margin-top: 0; } .bar nav { order: 1; flex-basis: 100%; } .bar form { margin-left: auto; } button, .button { padding: 0.6rem 0.9rem; } input, select, textarea { font-size: 1rem; } }
table.figures td { font-variant-numeric: tabular-nums; } table.figures { width: auto; min-width: 20rem; } svg .spot { fill: var(--line); stroke: var(--back); stroke-width: 2; }
@media print {
  .bar, .buttons, .filter, .pager, .act, .skip, form.narrow, td form, li form, progress, input[type="checkbox"] { display: none; }
  .tell, .tiles li, .voices > li { break-inside: avoid; } .secret, .check { display: block; } pre { white-space: pre-wrap; border: 1px solid var(--rule); } footer { margin-top: 1.5rem; }
}
"""

#: The style sheet.
STYLE: Final = f"{BASE}{ANSWERS}{CARDS}{_OWN}".encode()
#: Its name says what is in it, so that a browser may keep it for as long as it likes.
STYLE_NAME: Final = f"style-{hashlib.sha256(STYLE).hexdigest()[:16]}.css"
