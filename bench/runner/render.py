# SPDX-License-Identifier: MIT
"""The results as people read them: lines, tables, and the file RESULTS.md."""
import os

import chart
import judge
from jobs import LIMIT, OURS, THEMES
from units import show

TITLES = {
    "start": "Start and join a process",
    "pool": "Pool",
    "queue": "Queues, from process to process",
    "pipe": "Pipe, there and back",
    "sync": "Locks",
    "codec": "Codec",
    "subprocess": "Programs",
    "memory": "Memory",
    "growth": "Growth with the number of tasks and of processes",
    "compile": "What including a header costs at -O0: user and system time of the compiler, "
               "its memory",
}

_LINE = "{:26} {:>18} {:>34} {:>18}  {:46} {}"


def _best_peer(entry):
    name = entry["best_peer"]
    return f"{show(entry['peers'][name], entry['unit'])} ({name})" if name else "-"


def verdict(entry):
    return entry["verdict"] + (", within the spread" if entry["within_spread"] else "")


def line_head():
    return _LINE.format("job", "ours", "best_peer", "limit", "goal", "met")


def line(entry):
    unit = entry["unit"]
    return _LINE.format(entry["job"], show(entry["ours"], unit), _best_peer(entry),
                        show(entry["limit"], unit), entry["goal"] or "-", verdict(entry))


def _row(cells):
    return "| " + " | ".join(cells) + " |"


def _ratio(value):
    return "-" if value is None else f"{value:.3g}"


def _with_spread(entry, who, value):
    text, part = show(value, entry["unit"]), entry["spread"].get(who)
    several = len(entry["samples"].get(who, [])) > 1
    return f"{text} ±{part * 100:.0f} %" if several and part is not None else text


def _peer_cell(entry):
    name = entry["best_peer"]
    return f"{_with_spread(entry, name, entry['peers'][name])} ({name})" if name else "-"


def _limit_cell(entry):
    text = _with_spread(entry, LIMIT, entry["limit"])
    if entry["limit_is"] and entry["limit"] is not None:
        return f"{text} ({entry['limit_is']})"
    return text


def _verdict_cell(entry):
    bold = entry["verdict"] in ("no", "missing", "failed")
    return f"**{verdict(entry)}**" if bold else verdict(entry)


def table(entries):
    lines = [_row(["job", "ours", "best peer", "limit", "ours / peer", "ours / limit", "goal",
                   "met"]), _row(["---"] * 8)]
    for entry in entries:
        lines.append(_row([
            f"{entry['job']} {'↓' if entry['better'] == 'less' else '↑'}",
            _with_spread(entry, OURS, entry["ours"]), _peer_cell(entry), _limit_cell(entry),
            _ratio(entry["ratio_to_best_peer"]), _ratio(entry["ratio_to_limit"]),
            entry["goal"] or "-", _verdict_cell(entry)]))
    return "\n".join(lines)


def _count(entries, wanted):
    found = [entry for entry in entries if entry["verdict"] == wanted]
    if wanted not in ("yes", "no"):
        return str(len(found))
    within = sum(entry["within_spread"] for entry in found)
    return f"{len(found)}, {within} of them within the spread"


def _summary(entries):
    of = [entry for entry in entries if entry["goal"]]
    return (f"{len(of)} jobs have a goal. Met: {_count(of, 'yes')}; not met: {_count(of, 'no')}; "
            f"missing in the library: {_count(of, 'missing')}; failed: {_count(of, 'failed')}; "
            f"unknown: {_count(of, 'unknown')}.")


def _bullets(lines):
    return "\n".join(f"- {line}" for line in lines) or "None."


def _of_verdict(entries, wanted):
    return _bullets(_against_goal(entry) for entry in entries if entry["verdict"] == wanted)


def _against_goal(entry):
    unit = entry["unit"]
    found = f", measured {show(entry['ours'], unit)}" if entry["ours"] is not None else ""
    close = ", within the spread" if entry["within_spread"] else ""
    beside = f"; limit {show(entry['limit'], unit)}" if entry["limit"] is not None else ""
    note = f". {entry['note']}" if entry["note"] else ""
    return f"{entry['job']}: {entry['goal'] or 'no goal'}{found}{close}{beside}{note}"


def _failed(entries):
    return _bullets(_failure(entry, who) for entry in entries for who in entry["failures"])


def _failure(entry, who):
    reasons = entry["failures"][who]
    last = reasons[-1].replace("`", "'")
    return (f"{entry['job']}, {who}: {len(reasons)} failed, {len(entry['samples'][who])} measured; "
            f"`{last}`")


def _slower_than_peers(entries):
    found = [(entry, *judge.slower_than_peer(entry)) for entry in entries]
    return _bullets(_slower_than_peer(entry, within) for entry, slower, within in found if slower)


def _slower_than_peer(entry, within):
    close = ", within the spread" if within else ""
    return (f"{entry['job']}: {show(entry['ours'], entry['unit'])}, {_best_peer(entry)}; "
            f"ours / peer {_ratio(entry['ratio_to_best_peer'])}{close}")


def _beaten_limits(entries):
    return _bullets(_beaten_limit(entry, who) for entry in entries
                    for who in judge.beat_the_limit(entry))


def _beaten_limit(entry, who):
    unit, value = entry["unit"], judge.median(entry["samples"][who])
    return (f"{entry['job']}, {who}: {show(value, unit)}; limit {show(entry['limit'], unit)}"
            + (f" ({entry['limit_is']})" if entry["limit_is"] else ""))


_HEAD = """# Results

Written by `sh bench/run.sh` in one run; no figure in it is typed by hand. Each value is the median
of several measurements of one contender, taken in turn with those of the peers and of plain system
calls (the limit); ± is half the distance between the extremes. What one measurement tells of a time
is the median of its turns where each turn is timed by itself, else their mean; of a rate it is the
mean. Less is better where a job has ↓, more where it has ↑. Ratios are ours divided by theirs. A
verdict is of the medians; it lies within the spread where an extreme of either side changes it.
"""


def _lists(entries):
    """What a reader should not have to look for in the tables."""
    return [
        ("Below their goal", _of_verdict(entries, "no")),
        ("Missing", _of_verdict(entries, "missing")),
        ("Failed", _failed(entries)),
        ("Unknown", _of_verdict(entries, "unknown")),
        ("Slower than the best peer", _slower_than_peers(entries)),
        ("Limits that somebody beats", _beaten_limits(entries)),
    ]


def report(entries, facts):
    parts = [_HEAD, _row(["what", "which"]), _row(["---", "---"])] + [_row(fact) for fact in facts]
    parts += ["", _summary(entries)]
    for title, text in _lists(entries):
        parts += ["", f"## {title}", "", text]
    for theme in THEMES:
        of_theme = [entry for entry in entries if entry["theme"] == theme]
        if of_theme:
            parts += ["", f"## {TITLES[theme]}", "", table(of_theme), "",
                      f"![{TITLES[theme]}](charts/{theme}.svg)"]
    return "\n".join(parts) + "\n"


def write_report(folder, entries, facts):
    charts = os.path.join(folder, "charts")
    os.makedirs(charts, exist_ok=True)
    for theme in THEMES:
        of_theme = [entry for entry in entries if entry["theme"] == theme]
        if of_theme:
            with open(os.path.join(charts, f"{theme}.svg"), "w", encoding="utf-8") as file:
                file.write(chart.svg(TITLES[theme], of_theme))
    with open(os.path.join(folder, "RESULTS.md"), "w", encoding="utf-8") as file:
        file.write(report(entries, facts))
