# SPDX-License-Identifier: GPL-2.0
"""
The experiment as one self-contained HTML page: three numbers, maps of guest memory, tables and bars.

Everything is inline (style, SVG), so that the file can be mailed, printed and read on a phone. Colours are
Okabe and Ito's, which colour-blind people can tell apart; they follow the reader's light or dark setting.
"""
from html import escape

from . import compare
from .compare import number, verdict
from .measure import PAGES_PER_BLOCK

COLUMNS, CELL, GAP = 32, 14, 2
AXIS_LEFT, AXIS_TOP, AXIS_ROWS = 62, 22, 4      # room for the labels, and rows between them
MIB_PER_BLOCK = 2
KINDS = ("whole", "free", "balloon", "used")
LEGEND = {
    "whole": "entirely free: a 2 MiB page can be had here",
    "free": "free pages in a block that is not entirely free",
    "balloon": "balloon pages, given to the host",
    "used": "everything else in use",
}

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1a1a1a; --soft: #595959; --line: #d0d0d0;
	--bad: #b3261e; --whole: #009e73; --free: #d9d9d9; --balloon: #0072b2; --used: #e69f00; --stock: #767676; --ours: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --ground: #161618; --ink: #ececec; --soft: #a8a8a8; --line: #3c3c40;
	--bad: #ff8a80; --whole: #00b785; --free: #4a4a50; --balloon: #56b4e9; --used: #e69f00; --stock: #9a9a9a; --ours: #56b4e9; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; background: var(--ground); color: var(--ink);
	font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p, figcaption, li { max-width: 44rem; } figcaption, .how { color: var(--soft); font-size: .875rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
th:first-child, td:first-child { text-align: left; min-width: 8rem; font-weight: normal; }
thead th, thead th:first-child { font-weight: 600; border-bottom: 2px solid var(--ink); }
td.no, td.no .how { font-weight: 600; color: var(--ink); } .how { display: block; } figure { margin: 1rem 0; }
.maps { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 1rem; }
.maps figure { margin: 0; } .maps figcaption { margin-top: .3rem; } .maps .axis { font-size: 17px; fill: var(--soft); } svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; paint-order: stroke; stroke: var(--ground); stroke-width: 4px; }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; font-size: .875rem; }
.legend span { display: inline-block; width: .9em; height: .9em; margin-right: .45em; vertical-align: -.08em; }
code { font-size: .9em; overflow-wrap: anywhere; } details { margin: .6rem 0; }
.whole { fill: var(--whole); background: var(--whole); } .free { fill: var(--free); background: var(--free); }
.balloon { fill: var(--balloon); background: var(--balloon); } .used { fill: var(--used); background: var(--used); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(12rem, 100%), 1fr)); gap: .8rem; margin: 1.2rem 0; }
.tiles div { border-top: 3px solid var(--ours); padding-top: .4rem; } .tiles b { display: block; font-size: 2rem; line-height: 1.2; }
.tiles span { display: block; } .failed { border-left: 4px solid var(--bad); padding: .1rem 1rem; margin: 1.2rem 0; }
.failed h2 { margin: .5rem 0; color: var(--bad); } .failed li { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 1rem 0; font-size: .875rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; } summary { cursor: pointer; }
.stock { fill: var(--stock); } .ours { fill: var(--ours); } .aim { stroke: var(--ink); stroke-width: 2;
	stroke-dasharray: 4 3; }
@media (max-width: 32rem) { th, td { padding: .3rem .25rem; font-size: .875rem; } .how { font-size: .78rem; }
	td code { font-size: .7rem; } }
@media print { body { max-width: none; font-size: 10pt; } figure, tr { break-inside: avoid; }
	* { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def page(results):
    """The whole document for what run-experiment has measured."""
    return document(f"Memory balloon and compaction, Linux {results['kernel']}", head(results), failures(results["boots"]),
                    headline(results), measured(results), maps(results["boots"]), comparison(results["figures"]),
                    bars(results["figures"]), seed(results["seed"]), every_boot(results["boots"]), foot(results))


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
            "project's (<em>ours</em>) ran in the same guest, in turns.</p>")


def label(boot):
    return escape(f"{boot['experiment']}, {boot['driver']}, boot {boot['boot']}")


def failures(boots):
    """The boots that failed, where nobody can overlook them."""
    failed = [boot for boot in boots if boot["problems"] or not boot["complete"]]
    if not failed:
        return ""
    lines = "".join(f"<li>{label(boot)}{'' if boot['complete'] else ' (not in the figures)'}: "
                    f"{escape('; '.join(boot['problems']))}; logs in <code>{escape(str(boot['logs']))}</code>" for boot in failed)
    return f"<section class=failed><h2>{len(failed)} of {len(boots)} boots failed</h2><ul>{lines}</ul></section>"


def headline(results):
    """Three numbers against stock, and the ledger."""
    figures = {figure["key"]: figure for figure in results["figures"]}
    tiles = "".join(f"<div><b>{shown(figures[key]['ours'])}</b><span>{text}</span>"
                    f"<span class=how>stock: {shown(figures[key]['stock'])}</span></div>"
                    for key, text in (("blocks", "free blocks of 2 MiB after the round"),
                                      ("refused", "migrations that the driver failed"),
                                      ("notifications", "notifications of the host per migrated page")))
    differ = [boot for boot in results["boots"] if boot["ledger"] and compare.ledger_difference(boot)]
    count = sum(boot["ledger"] is not None for boot in results["boots"])
    ledger = f"differed in {len(differ)} of {count} boots" if differ else f"were equal, page by page, in each of {count} boots"
    return f"<div class=tiles>{tiles}</div><p>The ledgers of ballooned pages, the host's and the guest's, {ledger}.</p>"


def measured(results):
    """What it was that was measured."""
    rows = {"sources": f"commit {results['commit']}", "kernel": f"Linux {results['kernel']}", "host": results["qemu"],
            "accelerator": results["accelerator"], "date": results["date"], "again": results["command"]}
    return "<dl>" + "".join(f"<dt>{key}</dt><dd>{escape(value)}</dd>" for key, value in rows.items()) + "</dl>"


# --- tables ---------------------------------------------------------------------------------------------------

def table(header, rows):
    cells = "".join(f"<th>{escape(name)}</th>" for name in header)
    return (f'<div class=scroll><table><thead><tr>{cells}</tr></thead><tbody>'
            + "".join(f"<tr>{''.join(row)}</tr>" for row in rows) + "</tbody></table></div>")


def cell(content, mark=""):
    return f'<td class="{mark}">{content}</td>' if mark else f"<td>{content}</td>"


def folded(header, rows):
    """A table of (cells, is it zero for both?); rows of zeros are there for who asks for them."""
    zero = [cells for cells, is_zero in rows if is_zero]
    drawn = table(header, [cells for cells, is_zero in rows if not is_zero])
    return drawn + (f"<details><summary>{len(zero)} more that are zero for both</summary>{table(header, zero)}</details>"
                    if zero else "")


def comparison(figures):
    def row(figure):
        how = f"{escape(figure['title'])}<span class=how>{escape(figure['how'])}</span>"
        return [cell(how), cell(with_range(figure, "stock")), cell(with_range(figure, "ours")),
                cell(f"{aim(figure)}<span class=how>{verdict(figure)}</span>", "no" if figure["reached"] is False else "")]
    rows = [(row(figure), figure["stock"] == figure["ours"] == 0) for figure in figures]
    return "<h2>The figures</h2>" + folded(["figure", "stock", "ours", "to reach"], rows) + \
        "<p class=how>Medians; below them, the smallest and the largest where several boots were made.</p>"


def shown(value):
    return "not measured" if value is None else number(value)


def with_range(figure, driver):
    values = figure.get(f"{driver}_all") or []
    if figure["key"] == "time" or len(set(values)) < 2:
        return shown(figure[driver])
    return f"{number(figure[driver])}<span class=how>{number(min(values))} to {number(max(values))}</span>"


def aim(figure):
    return compare.aim(figure, "≥\u00a0", "≤\u00a0")


def seed(tables):
    parts = ["<h2>The table of 2012</h2><p>The patch series that made balloon pages movable came with this test: two "
             "processors, 1 GiB, a balloon of 64 or 128 MiB, four compactors. Here the balloon is scattered first, so "
             "that there is something to move. Our driver shows the four balloon counters itself; for the stock driver "
             "they come from kprobes on its callbacks and from the host's trace. Failed means isolated and put back. "
             "The last line is seen by kprobes for both.</p>"]
    for name, rows in tables.items():
        lines = [([cell(f"<code>{escape(key)}</code>"), cell(shown(stock)), cell(shown(ours))], stock == ours == 0)
                 for key, stock, ours in rows]
        parts.append(f"<h3>{escape(name.removeprefix('seed-'))} MiB balloon</h3>"
                     + folded(["counter, change over the round", "stock", "ours"], lines))
    return "".join(parts)


def every_boot(boots):
    def row(boot):
        if not boot["complete"]:
            figures = [None] * 4
        else:
            figures = [boot["host"]["inflated"], boot["host"]["kicks"], boot["delta"]["pgmigrate_fail"],
                       compare.ledger_difference(boot)]
        blocks = boot["free_blocks"]
        return [cell(label(boot)), *map(cell, map(shown, figures)), cell(f"{blocks['before']} → {blocks['after']}"),
                cell(escape("; ".join(boot["problems"])) or "none")]
    return "<h2>Every boot</h2><details><summary>Raw figures</summary>" + table(
        ["boot", "pages migrated", "notifications", "pgmigrate_fail", "ledger difference", "free 2 MiB blocks",
         "problems"], map(row, boots)) + "</details>"


def foot(results):
    lines = [f"{driver}: the two boots that were counted in instructions "
             f"{'agree to the instruction' if same else 'differ'}." for driver, same in results["repeats"].items()
             if same is not None]
    return "<p class=how>" + " ".join(map(escape, lines)) + \
        " The guest runs under emulation, so time is shown only as a ratio; counts and instructions are exact.</p>"


# --- pictures -------------------------------------------------------------------------------------------------

def maps(boots):
    """Guest memory of each driver's first scattered boot: after the round, and folded away, before it."""
    scattered = {}
    for boot in boots:
        if boot["complete"] and boot["experiment"] == "scattered":
            scattered.setdefault(boot["driver"], boot)

    def pair(when):
        return "<div class=maps>" + "".join(
            f"<figure>{memory(boot['map'][when])}<figcaption><strong>{driver}, {when} the round</strong>: "
            f"{boot['free_blocks'][when]} blocks entirely free</figcaption></figure>"
            for driver, boot in scattered.items()) + "</div>"
    legend = "".join(f"<li><span class={kind}></span>{text}</li>" for kind, text in LEGEND.items())
    drawn = (f"<ul class=legend>{legend}</ul>{pair('after')}<details><summary>Before the round</summary>{pair('before')}</details>"
             if scattered else "<p><strong>not measured</strong></p>")
    return ("<h2>Guest memory after the round</h2><p>Each cell is a block of 2 MiB, each row 64 MiB; the cell's stripes show how "
            f"much of it is what. The more green cells, the more large pages the guest can have.</p>{drawn}")


def memory(blocks):
    """One path per kind keeps the file small."""
    paths = {kind: [] for kind in KINDS}
    for index, (_, *pages) in enumerate(blocks):
        x, y = index % COLUMNS * (CELL + GAP), index // COLUMNS * (CELL + GAP)
        for kind, top, height in stripes(*pages):
            paths[kind].append(f"M{x + AXIS_LEFT} {y + top + AXIS_TOP:.4g}h{CELL}v{height:.3g}h-{CELL}z")
    width = AXIS_LEFT + COLUMNS * (CELL + GAP) - GAP
    rows = -(-len(blocks) // COLUMNS)
    drawn = "".join(f'<path class={kind} d="{"".join(path)}"/>' for kind, path in paths.items() if path)
    height = AXIS_TOP + max(1, rows * (CELL + GAP) - GAP)
    return f'<svg viewBox="0 0 {width} {height}" role=img aria-label="map of memory">{axes(rows, width)}{drawn}</svg>'


def axes(rows, width):
    per_row = COLUMNS * MIB_PER_BLOCK
    top = AXIS_TOP - 6
    labels = [(AXIS_LEFT - 8, top, "end", "MiB"), (AXIS_LEFT, top, "start", "0"), (width, top, "end", per_row)]
    labels += [(AXIS_LEFT - 8, AXIS_TOP + row * (CELL + GAP) + CELL - 1, "end", f"{row * per_row:,}")
               for row in range(0, rows, AXIS_ROWS)]
    return "".join(f'<text class=axis x={x} y={y} text-anchor={anchor}>{text}</text>' for x, y, anchor, text in labels)


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
    parts, texts = [], []
    aim_at = left + figure["to_reach"] * scale
    for index, (driver, value) in enumerate(values.items()):
        y = 8 + index * 30
        parts.append(f'<rect class={driver} x={left} y={y} width="{max(1, value * scale):.4g}" height=20 />')
        texts.append(f'<text x=0 y={y + 15}>{driver}</text><text x="{left + value * scale + 6:.4g}" y={y + 15}>{number(value)}</text>')
    parts += [f'<line class=aim x1="{aim_at:.4g}" x2="{aim_at:.4g}" y1=2 y2=64 />', *texts]
    title = escape(figure["title"])
    return (f'<figure><svg viewBox="0 0 {width} 66" role=img aria-label="{title}">{"".join(parts)}</svg>'
            f"<figcaption>{title}; to reach: {aim(figure)}</figcaption></figure>")
