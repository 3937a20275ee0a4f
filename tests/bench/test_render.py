# SPDX-License-Identifier: MIT
"""What is written: values, lines, tables, charts, and the file as a whole."""
import os
import tempfile
import unittest
import xml.etree.ElementTree

import runner_path  # noqa: F401
import chart
import judge
import render
from jobs import Goal, Job, times
from units import show

START = Job("start_fork", "start", "s", (times(1.3),), "raw fork")
QUEUE = Job("queue_int", "queue", "messages/s", (Goal(12e6),))
FUTURES = Job("futures", "pool", "s", (Goal(3e-6),))


def entries():
    return judge.judge_all([START, FUTURES, QUEUE], {
        "start_fork": {"ours": [130e-6, 120e-6, 140e-6], "CPython": [1.5e-3], "limit": [100e-6]},
        "queue_int": {"ours": [11e6], "Boost <b>": [5e6]},
    })


def report_of(jobs, samples, failures=None):
    return render.report(judge.judge_all(jobs, samples, failures), [("date", "today")])


def section(text, title):
    return text.split(f"## {title}\n\n")[1].split("\n\n")[0]


class Units(unittest.TestCase):
    def test_values_have_three_digits_and_a_fitting_prefix(self):
        for value, unit, text in (
                (1.3, "s", "1.3 s"), (42e-3, "s", "42 ms"), (4.62e-6, "s", "4.62 µs"),
                (13e-9, "s", "13 ns"), (0.9999, "s", "1 s"), (6e6, "tasks/s", "6 M tasks/s"),
                (60_000, "tasks/s", "60 k tasks/s"), (12, "tasks/s", "12 tasks/s"),
                (8 << 30, "B/s", "8 GiB/s"), (200, "B", "200 B"), (1536, "B", "1.5 KiB"),
                (None, "s", "-")):
            self.assertEqual(show(value, unit), text)


class Render(unittest.TestCase):
    def test_a_line_tells_job_ours_best_peer_limit_goal_and_verdict(self):
        line = " ".join(render.line(entries()[0]).split())
        self.assertEqual(line, "start_fork 130 µs 1.5 ms (CPython) 100 µs ≤ 1.3 x limit "
                               "yes, within the spread")

    def test_a_table_has_a_row_a_job_and_shows_what_falls_short_or_is_missing(self):
        table = render.table(entries())
        self.assertIn("| start_fork ↓ | 130 µs ±8 % | 1.5 ms (CPython) | 100 µs (raw fork) | "
                      "0.0867 | 1.3 | ≤ 1.3 x limit | yes, within the spread |", table)
        self.assertIn("| queue_int ↑ |", table)
        self.assertIn("| **missing** |", table)
        self.assertIn("| **no** |", table)

    def test_the_report_counts_lists_and_refers_to_its_charts(self):
        with tempfile.TemporaryDirectory() as folder:
            render.write_report(folder, entries(), [("date", "today")])
            with open(os.path.join(folder, "RESULTS.md"), encoding="utf-8") as file:
                text = file.read()
            self.assertEqual(sorted(os.listdir(os.path.join(folder, "charts"))),
                             ["pool.svg", "queue.svg", "start.svg"])
        self.assertIn("3 jobs have a goal. Met: 1, 1 of them within the spread; not met: 1, 0 of "
                      "them within the spread; missing in the library: 1; failed: 0; unknown: 0.",
                      text)
        self.assertEqual(section(text, "Below their goal"),
                         "- queue_int: ≥ 12 M messages/s, measured 11 M messages/s")
        self.assertEqual(section(text, "Missing"), "- futures: ≤ 3 µs")
        self.assertEqual(section(text, "Failed"), "None.")
        self.assertIn("](charts/start.svg)", text)
        self.assertIn("| date | today |", text)


    def test_the_report_lists_missing_jobs_that_have_no_goal(self):
        text = report_of([Job("imap", "pool", "s")], {"imap": {"CPython": [1]}})
        self.assertEqual(section(text, "Missing"), "- imap: no goal")

    def test_the_report_tells_who_failed_how_often_and_the_last_reason(self):
        text = report_of([START], {"start_fork": {"ours": [1], "limit": []}},
                         {"start_fork": {"ours": ["a", "exit status 1: `b`"], "limit": ["c"]}})
        self.assertEqual(section(text, "Failed").split("\n"), [
            "- start_fork, ours: 2 failed, 1 measured; `exit status 1: 'b'`",
            "- start_fork, limit: 1 failed, 0 measured; `c`"])
        self.assertIn("| **failed** |", text)
        self.assertIn("failed: 1; unknown: 0.", text)

    def test_the_report_counts_and_lists_what_is_unknown(self):
        text = report_of([START], {"start_fork": {"ours": [1], "limit": []}},
                         {"start_fork": {"limit": ["c"]}})
        self.assertEqual(section(text, "Unknown"), "- start_fork: ≤ 1.3 x limit, measured 1 s")
        self.assertIn("failed: 0; unknown: 1.", text)

    def test_the_report_lists_what_is_slower_than_the_best_peer_and_beaten_limits(self):
        text = report_of([START], {"start_fork": {"ours": [3], "Boost": [2], "limit": [2.5]}})
        self.assertEqual(section(text, "Slower than the best peer"),
                         "- start_fork: 3 s, 2 s (Boost); ours / peer 1.5")
        self.assertEqual(section(text, "Limits that somebody beats"),
                         "- start_fork, Boost: 2 s; limit 2.5 s (raw fork)")

    def test_a_median_of_zero_has_no_spread(self):
        entry = judge.judge(Job("queue", "memory", "B"), {"ours": [0, 0]}, {})
        self.assertIn("| queue ↓ | 0 B |", render.table([entry]))


class Chart(unittest.TestCase):
    def test_a_chart_is_xml_with_a_bar_for_each_who_was_measured(self):
        root = xml.etree.ElementTree.fromstring(chart.svg("Title", entries()))
        bars = root.findall("{http://www.w3.org/2000/svg}rect")[1:]
        self.assertEqual(len(bars), 3 + 0 + 2)
        widths = [float(bar.get("width")) for bar in bars]
        self.assertEqual(max(widths), chart.LONGEST)
        self.assertAlmostEqual(widths[0] / widths[1], 130e-6 / 1.5e-3, places=2)


if __name__ == "__main__":
    unittest.main()
