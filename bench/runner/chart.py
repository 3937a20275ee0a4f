# SPDX-License-Identifier: MIT
"""Bar charts as SVG: for each job a bar for ours, for each peer and for the limit."""
from xml.sax.saxutils import escape

from jobs import LIMIT, OURS
from units import show

WIDTH, LABEL, BAR, GAP, HEAD = 860, 210, 16, 4, 34
LONGEST = WIDTH - LABEL - 130
COLOURS = {OURS: "#2166ac", LIMIT: "#aaaaaa"}
PEER_COLOUR = "#e08214"


def bars(entry):
    """Pairs of who and value, ours first and the limit last."""
    of_all = [(OURS, entry["ours"]), *sorted(entry["peers"].items()), (LIMIT, entry["limit"])]
    return [(who, value) for who, value in of_all if value is not None]


def _text(x, y, text, more=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" {more}>{escape(text)}</text>'


def _bar(y, who, value, longest, unit):
    length = max(1.0, LONGEST * value / longest) if longest else 1.0
    colour = COLOURS.get(who, PEER_COLOUR)
    return [_text(LABEL - 6, y + 12, who, 'text-anchor="end"'),
            f'<rect x="{LABEL}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{colour}"/>',
            _text(LABEL + length + 5, y + 12, show(value, unit))]


def _panel(y, entry):
    """The drawing of one job from `y` on, and where the next begins."""
    drawn = [_text(8, y + 14, f"{entry['job']} ({entry['better']} is better)",
                   'font-weight="bold"')]
    y += 22
    of_job = bars(entry)
    longest = max(value for _, value in of_job)
    for who, value in of_job:
        drawn += _bar(y, who, value, longest, entry["unit"])
        y += BAR + GAP
    return drawn, y + 10


def svg(title, entries):
    drawn, y = [_text(8, 22, title, 'font-size="16" font-weight="bold"')], HEAD
    for entry in entries:
        if bars(entry):
            of_job, y = _panel(y, entry)
            drawn += of_job
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" '
            f'viewBox="0 0 {WIDTH} {y}" font-family="sans-serif" font-size="12">')
    return "\n".join([head, f'<rect width="{WIDTH}" height="{y}" fill="white"/>', *drawn,
                      "</svg>", ""])
