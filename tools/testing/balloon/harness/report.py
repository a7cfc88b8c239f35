# SPDX-License-Identifier: GPL-2.0
"""
The experiment as one self-contained HTML page: tables, bars, and a map of guest memory before and after.

Everything is inline (style, SVG), so that the file can be mailed, printed and read on a phone. Colours are
Okabe and Ito's, which colour-blind people can tell apart; they follow the reader's light or dark setting.
"""
from html import escape

COLUMNS, CELL, GAP = 32, 14, 2
PAGES_PER_BLOCK = 512
KINDS = ("whole", "free", "balloon", "used")
LEGEND = {
    "whole": "entirely free: a 2 MiB page can be had here",
    "free": "free pages in a block that is not entirely free",
    "balloon": "balloon pages, given to the host",
    "used": "everything else in use",
}

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1a1a1a; --soft: #595959; --line: #d0d0d0;
	--whole: #009e73; --free: #d9d9d9; --balloon: #0072b2; --used: #e69f00; --stock: #767676; --ours: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --ground: #161618; --ink: #ececec; --soft: #a8a8a8; --line: #3c3c40;
	--whole: #00b785; --free: #4a4a50; --balloon: #56b4e9; --used: #e69f00; --stock: #9a9a9a; --ours: #56b4e9; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; background: var(--ground); color: var(--ink);
	font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p, figcaption, li { max-width: 44rem; } figcaption, .how { color: var(--soft); font-size: .875rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
th:first-child, td:first-child { text-align: left; min-width: 8rem; font-weight: normal; }
thead th, thead th:first-child { font-weight: 600; border-bottom: 2px solid var(--ink); }
td.no { font-weight: 600; } .how { display: block; } figure { margin: 1rem 0; }
.maps { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 1rem; }
.maps figure { margin: 0; } svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; font-size: .875rem; }
.legend span { display: inline-block; width: .9em; height: .9em; margin-right: .45em; vertical-align: -.08em; }
code { font-size: .9em; overflow-wrap: anywhere; } details { margin: .6rem 0; }
.whole { fill: var(--whole); background: var(--whole); } .free { fill: var(--free); background: var(--free); }
.balloon { fill: var(--balloon); background: var(--balloon); } .used { fill: var(--used); background: var(--used); }
.stock { fill: var(--stock); } .ours { fill: var(--ours); } .aim { stroke: var(--ink); stroke-width: 2;
	stroke-dasharray: 4 3; }
@media (max-width: 32rem) { th, td { padding: .3rem .25rem; font-size: .875rem; } .how { font-size: .78rem; } }
@media print { body { max-width: none; font-size: 10pt; } figure, tr { break-inside: avoid; }
	* { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def page(results):
    """The whole document for what run-experiment has measured."""
    return document(f"Memory balloon and compaction, Linux {results['kernel']}", head(results), comparison(results["figures"]),
                    maps(results["boots"]), bars(results["figures"]), seed(results["seed"]), every_boot(results["boots"]),
                    foot(results))


def document(title, *parts):
    """A page that stands alone."""
    return "\n".join([
        "<!DOCTYPE html>", '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>", f"<style>{STYLE}</style></head><body>", *parts, "</body></html>", ""])


def head(results):
    absent = "".join(f"<p><strong>{escape(line)}</strong></p>" for line in results["absent"])
    return (f"<h1>One round of compaction with a balloon in the guest</h1>{absent}"
            "<p>A 1 GiB guest has given 400 MiB to its host, page by page and scattered over 850 MiB. Four processes "
            "then ask the kernel to compact memory. The kernel's own balloon driver (<em>stock</em>) and this "
            "project's (<em>ours</em>) ran in the same guest, in turns.</p>"
            f"<p class=how>Linux {escape(results['kernel'])}, {escape(results['qemu'])}, "
            f"{escape(results['date'])}. Again: <code>{escape(results['command'])}</code></p>")


# --- tables ---------------------------------------------------------------------------------------------------

def table(header, rows):
    cells = "".join(f"<th>{escape(name)}</th>" for name in header)
    return (f'<div class=scroll><table><thead><tr>{cells}</tr></thead><tbody>'
            + "".join(f"<tr>{''.join(row)}</tr>" for row in rows) + "</tbody></table></div>")


def cell(content, mark=""):
    return f'<td class="{mark}">{content}</td>' if mark else f"<td>{content}</td>"


def comparison(figures):
    def row(figure):
        how = f"{escape(figure['title'])}<span class=how>{escape(figure['how'])}</span>"
        reached = {True: "yes", False: "not reached", None: ""}[figure["reached"]]
        return [cell(how), cell(with_range(figure, "stock")), cell(with_range(figure, "ours")), cell(aim(figure)),
                cell(reached, "no" if figure["reached"] is False else "")]
    return "<h2>The figures</h2>" + table(["figure", "stock", "ours", "to reach", "reached"], map(row, figures)) + \
        "<p class=how>Medians; below them, the smallest and the largest where several boots were made.</p>"


def number(value):
    if value is None:
        return "–"
    if isinstance(value, float) and value != int(value):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3f}"
    return f"{int(value):,}"


def with_range(figure, driver):
    values = figure.get(f"{driver}_all") or []
    if figure["key"] == "time" or len(set(values)) < 2:
        return number(figure[driver])
    return f"{number(figure[driver])}<span class=how>{number(min(values))} to {number(max(values))}</span>"


def aim(figure):
    if figure["to_reach"] is None:
        return ""
    sign = "" if figure["to_reach"] == 0 else "≥ " if figure["at_least"] else "≤ "
    return sign + number(figure["to_reach"])


def seed(tables):
    parts = ["<h2>The table of 2012</h2><p>The patch series that made balloon pages movable came with this test: two "
             "processors, 1 GiB, a balloon of 64 or 128 MiB, four compactors. Here the balloon is scattered first, so "
             "that there is something to move. Our driver shows the four balloon counters itself; for the stock driver "
             "they come from kprobes on its callbacks and from the host's trace. Failed means isolated and put back. "
             "The last line is seen by kprobes for both.</p>"]
    for name, rows in tables.items():
        lines = [[cell(f"<code>{escape(key)}</code>"), cell(number(stock)), cell(number(ours))]
                 for key, stock, ours in rows]
        parts.append(f"<h3>{escape(name.removeprefix('seed-'))} MiB balloon</h3>"
                     + table(["counter, change over the round", "stock", "ours"], lines))
    return "".join(parts)


def every_boot(boots):
    rows = [[cell(f"{b['experiment']}, {b['driver']}, boot {b['boot']}"), cell(number(b["host"]["inflated"])),
             cell(number(b["host"]["kicks"])), cell(number(b["delta"]["pgmigrate_fail"])),
             cell(f"{b['free_blocks']['before']} → {b['free_blocks']['after']}"),
             cell(number(b["ledger"]["guest_only"] + b["ledger"]["host_only"])),
             cell(escape("; ".join(b["problems"])) or "none")]
            for b in boots if b["complete"]]
    return "<h2>Every boot</h2><details><summary>Raw figures</summary>" + table(
        ["boot", "pages migrated", "notifications", "pgmigrate_fail", "free 2 MiB blocks", "ledger difference",
         "problems"], rows) + "</details>"


def foot(results):
    lines = [f"{driver}: the two boots that were counted in instructions "
             f"{'agree to the instruction' if same else 'differ'}." for driver, same in results["repeats"].items()
             if same is not None]
    return "<p class=how>" + " ".join(map(escape, lines)) + \
        " The guest runs under emulation, so time is shown only as a ratio; counts and instructions are exact.</p>"


# --- pictures -------------------------------------------------------------------------------------------------

def maps(boots):
    """Guest memory of each driver's first scattered boot."""
    shown = {}
    for boot in boots:
        if boot["complete"] and boot["experiment"] == "scattered":
            shown.setdefault(boot["driver"], boot)
    figures = [f"<figure>{memory(boot['map'][when])}<figcaption><strong>{driver}, {when} the round</strong>: "
               f"{boot['free_blocks'][when]} blocks entirely free.</figcaption></figure>"
               for when in ("before", "after") for driver, boot in shown.items()]
    legend = "".join(f"<li><span class={kind}></span>{text}</li>" for kind, text in LEGEND.items())
    drawn = f"<div class=maps>{''.join(figures)}</div>"
    return ("<h2>Guest memory, before and after</h2><p>Each cell is a block of 2 MiB, in the order of addresses from "
            "the top left; its stripes show how much of it is what. The more green cells after the round, the more "
            f"large pages the guest can have.</p><ul class=legend>{legend}</ul>{drawn}")


def memory(blocks):
    """One path per kind keeps the file small."""
    paths = {kind: [] for kind in KINDS}
    for index, (_, *pages) in enumerate(blocks):
        x, y = index % COLUMNS * (CELL + GAP), index // COLUMNS * (CELL + GAP)
        for kind, top, height in stripes(*pages):
            paths[kind].append(f"M{x} {y + top:.4g}h{CELL}v{height:.3g}h-{CELL}z")
    width = COLUMNS * (CELL + GAP) - GAP
    rows = -(-len(blocks) // COLUMNS)
    drawn = "".join(f'<path class={kind} d="{"".join(path)}"/>' for kind, path in paths.items() if path)
    height = max(1, rows * (CELL + GAP) - GAP)
    return f'<svg viewBox="0 0 {width} {height}" role=img aria-label="map of memory">{drawn}</svg>'


def stripes(free, balloon, used):
    """(kind, top, height) of what a block holds, from top to bottom."""
    if free == PAGES_PER_BLOCK:
        return [("whole", 0, CELL)]
    top, found = 0.0, []
    for kind, pages in (("free", free), ("balloon", balloon), ("used", used)):
        height = pages / PAGES_PER_BLOCK * CELL
        if pages:
            found.append((kind, top, height))
        top += height
    return found


def bars(figures):
    """The rows that have an aim above zero, each on its own scale, the aim as a dashed line."""
    drawn = [bar(figure) for figure in figures if figure["to_reach"] and figure["stock"] is not None]
    return ("<h2>Against the aims</h2><div class=maps>" + "".join(drawn)
            + "</div><p class=how>Dashed: the value to reach.</p>") if drawn else ""


def bar(figure):
    width, left, right = 320, 44, 66
    values = {driver: figure[driver] for driver in ("stock", "ours") if figure[driver] is not None}
    scale = (width - left - right) / max(*values.values(), figure["to_reach"])
    parts = []
    for index, (driver, value) in enumerate(values.items()):
        y = 8 + index * 30
        parts.append(f'<text x=0 y={y + 15}>{driver}</text>'
                     f'<rect class={driver} x={left} y={y} width="{max(1, value * scale):.4g}" height=20 />'
                     f'<text x="{left + value * scale + 6:.4g}" y={y + 15}>{number(value)}</text>')
    aim_at = left + figure["to_reach"] * scale
    parts.append(f'<line class=aim x1="{aim_at:.4g}" x2="{aim_at:.4g}" y1=2 y2=64 />')
    title = escape(figure["title"])
    return (f'<figure><svg viewBox="0 0 {width} 66" role=img aria-label="{title}">{"".join(parts)}</svg>'
            f"<figcaption>{title}; to reach: {aim(figure)}</figcaption></figure>")
