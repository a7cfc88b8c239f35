# SPDX-License-Identifier: GPL-2.0
"""
What the bench has measured, as lines for a terminal and as one self-contained HTML page.
"""
from html import escape

from harness.report import bar, cell, document, number, table

from . import compare

VERDICT = {True: "yes", False: "not reached", None: ""}


def print_figures(results):
    print(f"\n{'':64} {'stock':>9} {'ours':>9} {'to reach':>9}  reached")
    for figure in results["figures"]:
        print(f"{figure['title']:64} {compare.text(figure['stock']):>9} {compare.text(figure['ours']):>9} "
              f"{'' if figure['to_reach'] is None else compare.text(figure['to_reach']):>9}  {VERDICT[figure['reached']]}".rstrip())
    print(f"\nwritten: out/bench.json, out/bench.html ({results['seconds']} s)")


def page(results):
    return document(f"What a memory balloon costs, Linux {results['kernel']}", head(results), comparison(results["figures"]),
                    bars(results["figures"]), every_step(results["boots"]))


def head(results):
    return ("<h1>What it costs to inflate and to deflate</h1>"
            "<p>The kernel's own balloon driver (<em>stock</em>) and this project's (<em>ours</em>) ran in the same guest, in "
            "turns. Counts and instructions are exact; time, under emulation, is shown only as a ratio.</p>"
            f"<p class=how>Linux {escape(results['kernel'])}, {escape(results['qemu'])}, {escape(results['date'])}. "
            f"Again: <code>{escape(results['command'])}</code></p>")


def comparison(figures):
    def row(figure):
        how = f"{escape(figure['title'])}<span class=how>{escape(figure['how'])}</span>"
        return [cell(how), cell(number(figure["stock"])), cell(number(figure["ours"])),
                cell("" if figure["to_reach"] is None else "≤ " + number(figure["to_reach"])),
                cell("" if figure["limit"] is None else number(figure["limit"])),
                cell(VERDICT[figure["reached"]], "no" if figure["reached"] is False else "")]
    return "<h2>The figures</h2>" + table(["figure", "stock", "ours", "to reach", "limit", "reached"], map(row, figures))


def bars(figures):
    drawn = [bar({**figure, "at_least": False}) for figure in figures if figure["to_reach"] and figure["stock"] and figure["ours"]]
    return "<h2>Against the aims</h2><div class=maps>" + "".join(drawn) + "</div><p class=how>Dashed: the value to reach.</p>"


def every_step(boots):
    rows = [[cell(escape(f"{boot['experiment']}, {boot['variant']}, step {step['number']}")), cell(number(step["pages"])),
             cell(number(step["run"] / abs(step["pages"]))),
             *(cell(number(step["host"][key])) for key in ("kicks", "exits", "discards"))]
            for boot in boots for step in boot["steps"]]
    return "<h2>Every step</h2><details><summary>Raw figures</summary>" + table(
        ["step", "pages", "ns of run time per page", "notifications", "exits", "discards"], rows) + "</details>"
