# SPDX-License-Identifier: MIT
"""What is written: values, lines, tables, charts, and the file as a whole."""
import os
import tempfile
import unittest
import xml.etree.ElementTree

import runner_path  # noqa: F401
import chart
import judge
import programs
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


class Units(unittest.TestCase):
    def test_values_have_three_digits_and_a_fitting_prefix(self):
        for value, unit, text in (
                (1.3, "s", "1.3 s"), (42e-3, "s", "42 ms"), (4.62e-6, "s", "4.62 µs"),
                (13e-9, "s", "13 ns"), (0.9999, "s", "1 s"), (6e6, "tasks/s", "6 M tasks/s"),
                (60_000, "tasks/s", "60 k tasks/s"), (12, "tasks/s", "12 tasks/s"),
                (8 << 30, "B/s", "8 GiB/s"), (200, "B", "200 B"), (1536, "B", "1.5 KiB"),
                (None, "s", "-")):
            self.assertEqual(show(value, unit), text)


class Programs(unittest.TestCase):
    def test_a_name_is_read_without_what_the_library_adds(self):
        self.assertEqual(programs.parse_name("queue_int/Boost queue/iterations:1/real_time"),
                         ("queue_int", "Boost queue"))

    def test_a_value_is_read_in_seconds_or_as_it_is(self):
        output = {"real_time": 3, "time_unit": "us", "items_per_second": 7}
        self.assertAlmostEqual(programs.value_of(output, "real_time"), 3e-6)
        self.assertEqual(programs.value_of(output, "items_per_second"), 7)
        self.assertIsNone(programs.value_of(output, "bytes"))

    def test_of_times_the_median_is_taken_where_there_is_one(self):
        output = {"real_time": 3, "time_unit": "us", "median": 2e-6}
        self.assertEqual(programs.value_of(output, "real_time"), 2e-6)


class Render(unittest.TestCase):
    def test_a_line_tells_job_ours_best_peer_limit_goal_and_verdict(self):
        line = " ".join(render.line(entries()[0]).split())
        self.assertEqual(line, "start_fork 130 µs 1.5 ms (CPython) 100 µs ≤ 1.3 x limit yes")

    def test_a_table_has_a_row_a_job_and_shows_what_falls_short_or_is_missing(self):
        table = render.table(entries())
        self.assertIn("| start_fork | 130 µs ±8 % | 1.5 ms ±0 % (CPython) | 100 µs ±0 % (raw fork) | "
                      "0.0867 | 1.3 | ≤ 1.3 x limit | yes |", table)
        self.assertIn("| **missing** |", table)
        self.assertIn("| **no** |", table)

    def test_the_report_counts_lists_and_refers_to_its_charts(self):
        with tempfile.TemporaryDirectory() as folder:
            render.write_report(folder, entries(), [("date", "today")])
            with open(os.path.join(folder, "RESULTS.md"), encoding="utf-8") as file:
                text = file.read()
            self.assertEqual(sorted(os.listdir(os.path.join(folder, "charts"))),
                             ["pool.svg", "queue.svg", "start.svg"])
        self.assertIn("1 of 3 goals are met, 1 are not; 1 jobs with a goal are missing", text)
        self.assertIn("- queue_int: ≥ 12 M messages/s, measured 11 M messages/s", text)
        self.assertIn("- futures: ≤ 3 µs\n", text)
        self.assertIn("](charts/start.svg)", text)
        self.assertIn("| date | today |", text)


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
