# SPDX-License-Identifier: GPL-2.0
"""
What the bench has measured, as lines for a terminal and as one self-contained HTML page.
"""
from html import escape

from harness.common import table_line, terminal_width

from . import bench_figures as figures
from .bench_plot import plot
from .compare import number, verdict
from .report import aim, bar, cell, document, measured, table


def print_figures(results):
    """As wide as the terminal allows, down to 72 columns."""
    width = min(max((len(figure["title"]) for figure in results["figures"]), default=40), terminal_width() - 46)
    print("\n" + table_line("", f"{'stock':>9} {'ours':>9} {'to reach':>9} {'limit':>9}  reached", width))
    for figure in results["figures"]:
        columns = [number(figure[key]) for key in ("stock", "ours")]
        columns += ["" if figure[key] is None else number(figure[key]) for key in ("to_reach", "limit")]
        print(table_line(figure["title"], f"{' '.join(f'{text:>9}' for text in columns)}  {verdict(figure)}", width))
    month = ", out/month.html" if any(boot["experiment"] == "month" for boot in results["boots"]) else ""
    print(f"\nwritten: out/bench.json, out/bench.html{month} ({results['seconds']} s)")


def page(results):
    return document(f"What a memory balloon costs, Linux {results['kernel']}", head(results), comparison(results["figures"]),
                    plots(results["boots"]), bars(results["figures"]), every_step(results["boots"]))


def head(results):
    return ("<h1>What a memory balloon costs</h1>"
            "<p>The kernel's own balloon driver (<em>stock</em>) and this project's (<em>ours</em>) ran in the same guest, in "
            "turns. Counts and instructions are exact; time, under emulation, is shown only as a ratio.</p>" + measured(results))


def comparison(rows):
    def row(figure):
        how = f"{escape(figure['title'])}<span class=how>{escape(figure['how'])}</span>"
        return [cell(how), cell(number(figure["stock"])), cell(number(figure["ours"])), cell(aim(figure)),
                cell("" if figure["limit"] is None else number(figure["limit"])),
                cell(verdict(figure), "" if figure["reached"] else "no")]
    return "<h2>The figures</h2>" + table(["figure", "stock", "ours", "to reach", "limit", "reached"], map(row, rows))


def plots(boots):
    """Against the size of the balloon, logarithmic both ways; the limit dashed."""
    def per_page(sign):
        return lambda boots, name, variant, mib: figures.per_page(boots, name, variant, sign * mib)

    def per_gib(key):
        return lambda boots, name, variant, mib: figures.per_gib(boots, name, variant, mib, key)

    def series(value, variants):
        return {variant: figures.by_size(boots, variant, value) for variant in variants}

    plain, reported = ("stock", "ours, single pages", "ours"), ("stock", "ours", "ours, reporting")
    drawn = [plot("guest instructions per 4 KiB inflated", series(per_page(1), plain), allocators(boots, "alloc")),
             plot("guest instructions per 4 KiB deflated", series(per_page(-1), plain), allocators(boots, "free")),
             plot("notifications per GiB inflated", series(per_gib("kicks"), reported), {"a batch each": 8}),
             plot("discards per GiB inflated", series(per_gib("discards"), reported), {"4 MiB each": 256})]
    return ("<h2>From 64 MiB to 16 GiB</h2><div class=maps>" + "".join(drawn) + "</div><p class=how>Dashed: what cannot be "
            "gone below: the kernel's allocator itself, measured in the same guest, and what one batch and one discard can hold.</p>")


def allocators(boots, key):
    """What the allocator itself takes; there is no freeing in bulk."""
    ways = ("blocks", "pages", "bulk") if key == "alloc" else ("blocks", "pages")
    found = {f"allocator, {way}": figures.allocator(boots, "counted", key, [way]) for way in ways}
    return {name: value for name, value in found.items() if value}


def bars(rows):
    drawn = [bar(figure) for figure in rows if figure["to_reach"] and figure["stock"] and figure["ours"]]
    return "<h2>Against the aims</h2><div class=maps>" + "".join(drawn) + "</div><p class=how>Dashed: the value to reach.</p>"


def every_step(boots):
    rows = [[cell(escape(f"{boot['experiment']}, {boot['variant']}, step {step['number']}: {step['what']}")),
             cell(number(step["pages"])), cell(number(step["run"] / abs(step["pages"]) if step["pages"] else None)),
             *(cell(number(step["host"][key])) for key in ("kicks", "exits", "discards"))]
            for boot in boots for step in boot["steps"]]
    return "<h2>Every step</h2><details><summary>Raw figures</summary>" + table(
        ["step", "pages", "ns of run time per page", "notifications", "exits", "discards"], rows) + "</details>"
