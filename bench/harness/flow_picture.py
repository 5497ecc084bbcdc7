"""The picture of `bench/run flow`: for each link a bar a contestant, as a share of the link's rate."""
import os

from .common import TOP, median

COLOURS = {"roost": "#c2410c", "tcp cubic": "#64748b", "tcp reno": "#94a3b8", "tcp bbr": "#2563eb", "srt": "#16a34a"}
OTHER = "#a855f7"
BAR, GAP, HEIGHT, LEFT, TOP_Y = 16, 26, 220, 56, 60


def share_text(x, y, text, size=11, anchor="middle", colour="#334155"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{text}</text>')


def draw(bench, runs):
    from .flow import LINKS, links_of, names_of
    names, links = names_of(runs), links_of(runs)
    group = BAR * len(names) + GAP
    width = LEFT + group * len(links) + 20
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT + TOP_Y + 60}" '
           'font-family="sans-serif">', '<rect width="100%" height="100%" fill="white"/>',
           share_text(LEFT, 22, "One stream over each link: share of the link's rate", 14, "start", "#0f172a")]
    x = LEFT
    for name in names:
        colour = COLOURS.get(name, OTHER)
        out += [f'<rect x="{x}" y="34" width="10" height="10" fill="{colour}"/>', share_text(x + 14, 43, name, 11, "start")]
        x += 24 + 7 * len(name)
    for percent in (0, 25, 50, 75, 100):
        y = TOP_Y + HEIGHT * (1 - percent / 100)
        out += [f'<line x1="{LEFT}" y1="{y}" x2="{width - 12}" y2="{y}" stroke="#e2e8f0"/>',
                share_text(LEFT - 6, y + 4, f"{percent} %", 11, "end")]
    for i, link in enumerate(links):
        begin = LEFT + i * group + GAP / 2
        for k, name in enumerate(names):
            rate = median([r["mbit_s"] for r in runs if r["link"] == link and r["who"] == name])
            if rate is None:
                continue
            tall = HEIGHT * min(rate / LINKS[link][1], 1.05)
            x, y = begin + k * BAR, TOP_Y + HEIGHT - tall
            out.append(f'<rect x="{x}" y="{y:.1f}" width="{BAR - 2}" height="{tall:.1f}" '
                       f'fill="{COLOURS.get(name, OTHER)}"><title>{link}, {name}: {rate:.1f} Mbit/s</title></rect>')
            out.append(share_text(x + BAR / 2 - 1, y - 3, f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}", 8))
        out.append(share_text(begin + BAR * len(names) / 2, TOP_Y + HEIGHT + 18, link, 12))
        out.append(share_text(begin + BAR * len(names) / 2, TOP_Y + HEIGHT + 33, f"{LINKS[link][1]} Mbit/s", 9))
    out.append("</svg>")
    path = os.path.join(bench.out, "flow.svg")
    with open(path, "w") as f:
        f.write("\n".join(out) + "\n")
    print(f"written: {os.path.relpath(path, TOP)}")
