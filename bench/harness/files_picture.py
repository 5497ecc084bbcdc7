"""The picture of `bench/run files`: for each load a bar a contestant, as a share of the link's rate."""
import os

from .common import TOP
from .flow_picture import BAR, GAP, HEIGHT, LEFT, TOP_Y, share_text

COLOURS = {"direct": "#c2410c", "relay": "#ea580c", "server": "#fb923c", "scp -r": "#64748b", "rsync": "#2563eb",
           "https": "#16a34a"}


def draw(bench, done):
    from .files import of, parts
    names, groups = [w.name for w in bench.who], parts(bench)
    group = max(BAR * len(names) + GAP, 130)
    width = LEFT + group * len(groups) + 20
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT + TOP_Y + 60}" '
           'font-family="sans-serif">', '<rect width="100%" height="100%" fill="white"/>',
           share_text(LEFT, 22, "Files over each link: share of the link's rate", 14, "start", "#0f172a")]
    x = LEFT
    for name in names:
        out += [f'<rect x="{x}" y="34" width="10" height="10" fill="{COLOURS[name]}"/>',
                share_text(x + 14, 43, name, 11, "start")]
        x += 24 + 7 * len(name)
    for percent in (0, 25, 50, 75, 100):
        y = TOP_Y + HEIGHT * (1 - percent / 100)
        out += [f'<line x1="{LEFT}" y1="{y}" x2="{width - 12}" y2="{y}" stroke="#e2e8f0"/>',
                share_text(LEFT - 6, y + 4, f"{percent} %", 11, "end")]
    for i, (link, load) in enumerate(groups):
        begin = LEFT + i * group + (group - BAR * len(names)) / 2
        for k, name in enumerate(names):
            rate = of(done, link.name, load.name, name, "mbit_s")
            if rate is None:
                continue
            tall = HEIGHT * min(rate / link.mbit, 1.05)
            x, y = begin + k * BAR, TOP_Y + HEIGHT - tall
            out.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{BAR - 2}" height="{tall:.1f}" fill="{COLOURS[name]}">'
                       f'<title>{link.name}, {load.what}, {name}: {rate:.1f} Mbit/s</title></rect>')
            out.append(share_text(x + BAR / 2 - 1, y - 3, f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}", 8))
        middle = begin + BAR * len(names) / 2
        out.append(share_text(middle, TOP_Y + HEIGHT + 18, link.name, 12))
        out.append(share_text(middle, TOP_Y + HEIGHT + 33, load.what.partition(" in ")[0], 9))
    out.append("</svg>")
    path = os.path.join(bench.out, "files.svg")
    with open(path, "w") as f:
        f.write("\n".join(out) + "\n")
    print(f"written: {os.path.relpath(path, TOP)}")
