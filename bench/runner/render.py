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
    "compile": "What including a header costs at -O0: time, memory of the compiler",
}

_LINE = "{:26} {:>18} {:>34} {:>18}  {:46} {}"


def _best_peer(entry):
    name = entry["best_peer"]
    return f"{show(entry['peers'][name], entry['unit'])} ({name})" if name else "-"


def line_head():
    return _LINE.format("job", "ours", "best_peer", "limit", "goal", "met")


def line(entry):
    unit = entry["unit"]
    return _LINE.format(entry["job"], show(entry["ours"], unit), _best_peer(entry),
                        show(entry["limit"], unit), entry["goal"] or "-", judge.verdict(entry))


def _row(cells):
    return "| " + " | ".join(cells) + " |"


def _ratio(value):
    return "-" if value is None else f"{value:.3g}"


def _with_spread(entry, who, value):
    part = entry["spread"].get(who)
    text = show(value, entry["unit"])
    return text if part is None or entry["repetitions"] < 2 else f"{text} ±{part * 100:.0f} %"


def _peer_cell(entry):
    name = entry["best_peer"]
    return f"{_with_spread(entry, name, entry['peers'][name])} ({name})" if name else "-"


def table(entries):
    lines = [_row(["job", "ours", "best peer", "limit", "ours / peer", "ours / limit", "goal",
                   "met"]), _row(["---"] * 8)]
    for entry in entries:
        limit = _with_spread(entry, LIMIT, entry["limit"])
        if entry["limit_is"] and entry["limit"] is not None:
            limit += f" ({entry['limit_is']})"
        verdict = judge.verdict(entry)
        lines.append(_row([
            entry["job"], _with_spread(entry, OURS, entry["ours"]), _peer_cell(entry), limit,
            _ratio(entry["ratio_to_best_peer"]), _ratio(entry["ratio_to_limit"]),
            entry["goal"] or "-", f"**{verdict}**" if verdict in ("no", "missing") else verdict]))
    return "\n".join(lines)


def _summary(entries):
    of = [judge.verdict(entry) for entry in entries if entry["goal"]]
    return (f"{of.count('yes')} of {len(of)} goals are met, {of.count('no')} are not; "
            f"{of.count('missing')} jobs with a goal are missing in the library.")


def _list(entries, verdict):
    chosen = [entry for entry in entries if entry["goal"] and judge.verdict(entry) == verdict]
    return "\n".join(_bullet(entry) for entry in chosen) or "None."


def _bullet(entry):
    unit = entry["unit"]
    found = f", measured {show(entry['ours'], unit)}" if entry["ours"] is not None else ""
    beside = f"; limit {show(entry['limit'], unit)}" if entry["limit"] is not None else ""
    note = f". {entry['note']}" if entry["note"] else ""
    return f"- {entry['job']}: {entry['goal']}{found}{beside}{note}"


def report(entries, facts):
    parts = ["# Results", "",
             "Written by `sh bench/run.sh`; nothing in it is typed by hand. Each value is the median "
             "of several", "measurements, taken in turn with those of the peers and of plain system "
             "calls (the limit); ± is half the", "distance between the extremes. Ratios are ours "
             "divided by theirs.", ""]
    parts += [_row(["what", "which"]), _row(["---", "---"])] + [_row(fact) for fact in facts]
    parts += ["", _summary(entries), "", "## Below their goal", "", _list(entries, "no"),
              "", "## Missing", "", _list(entries, "missing")]
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
