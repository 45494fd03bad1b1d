#!/usr/bin/env python3
"""where.py [-o BARS.svg] NAME=RUN.json ... - where the time of an evaluation goes.

RUN.json is what `olac run --json` prints. Prints the split by kind of operation and by layer, predicted beside measured,
and draws a bar for each run, its kinds as shares of the whole.
"""
import json
import sys
from xml.sax.saxutils import escape

# In the order of ola_kind_name (ola/ola.h); what no kind counts (additions, drops) is the rest.
COLOURS = {
    "linear maps": "#1f77b4", "polynomials": "#2ca02c", "products": "#98df8a", "sparse sums": "#17becf",
    "reductions": "#9edae5", "SlotsToCoeffs": "#ffbb78", "ModRaise": "#8c564b", "CoeffsToSlots": "#ff7f0e",
    "EvalMod": "#d62728", "rest": "#c7c7c7",
}
BAR, GAP, LEFT, WIDTH = 26, 16, 150, 640


def split(layers):
    """Seconds by kind, the rest last."""
    kinds = {kind: sum(layer.get(kind, 0) for layer in layers) for kind in COLOURS if kind != "rest"}
    kinds["rest"] = max(0, sum(layer["seconds"] for layer in layers) - sum(kinds.values()))
    return {kind: seconds for kind, seconds in kinds.items() if seconds > 0}


def table(name, layers):
    whole, predicted = sum(x["seconds"] for x in layers), sum(x["predicted"] for x in layers)
    print(f"{name}: {whole:.3f} s, predicted {predicted:.3f} s")
    for kind, seconds in split(layers).items():
        print(f"  {kind:<16}{seconds:9.4f} s {100 * seconds / whole:5.1f} %")
    print(f"  {'layer':<40} measured   predicted")
    for layer in layers:
        print(f"  {layer['node'][-40:]:<40}{layer['seconds']:9.4f} s{layer['predicted']:9.4f} s")


def draw(runs):
    kinds = [k for k in COLOURS if any(split(layers).get(k, 0) > 0 for _, layers in runs)]
    rows = (len(kinds) + 3) // 4
    height = len(runs) * (BAR + GAP) + 20 * rows + 24
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 20}" height="{height}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{LEFT + WIDTH + 20}" height="{height}" fill="white"/>']
    for row, (name, layers) in enumerate(runs):
        y, x, parts = GAP + row * (BAR + GAP), float(LEFT), split(layers)
        whole = sum(parts.values())
        out.append(f'<text x="{LEFT - 8}" y="{y + 11}" text-anchor="end">{escape(name)}</text>')
        out.append(f'<text x="{LEFT - 8}" y="{y + 25}" text-anchor="end" fill="#666">{whole:.3g} s</text>')
        for kind, seconds in parts.items():
            width = WIDTH * seconds / whole
            out.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{COLOURS[kind]}">'
                       f'<title>{kind}: {seconds:.4f} s</title></rect>')
            if width > 34:
                out.append(f'<text x="{x + width / 2:.1f}" y="{y + 17}" text-anchor="middle" fill="white">'
                           f'{100 * seconds / whole:.0f} %</text>')
            x += width
    for k, kind in enumerate(kinds):
        x, y = LEFT + (k % 4) * 160, GAP + len(runs) * (BAR + GAP) + 20 * (k // 4)
        out.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="{COLOURS[kind]}"/>')
        out.append(f'<text x="{x + 17}" y="{y + 10}">{kind}</text>')
    return "\n".join(out + ["</svg>", ""])


def main(arguments):
    svg = None
    if arguments[:1] == ["-o"] and len(arguments) > 1:
        svg, arguments = arguments[1], arguments[2:]
    if not arguments or any("=" not in a for a in arguments):
        sys.exit(__doc__)
    runs = []
    for argument in arguments:
        name, path = argument.split("=", 1)
        with open(path, encoding="utf-8") as file:
            runs.append((name, json.load(file)["layers"]))
        table(*runs[-1])
    if svg:
        with open(svg, "w", encoding="utf-8") as file:
            file.write(draw(runs))


if __name__ == "__main__":
    main(sys.argv[1:])
