# SPDX-License-Identifier: MIT
"""What is measured, in which order, what is written, and how a run ends."""
import contextlib
import io
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import runner_path  # noqa: F401
import jobs
import programs
import run
from programs import Contender, Failure

JOBS = (jobs.Job("queue_int", "queue", "messages/s", (jobs.Goal(1),)),
        jobs.Job("queue_plain", "queue", "messages/s"),
        jobs.Job("lock", "sync", "s"))
RATE = {"real_time": 1, "time_unit": "s", "items_per_second": 2}


def arguments(*words):
    with contextlib.redirect_stderr(io.StringIO()):
        return run.arguments(["--programs", "build/bench/bench", *words])


class Arguments(unittest.TestCase):
    def test_a_whole_run_writes_beside_the_programs_and_the_sources(self):
        for programs_folder in ("/build/bench/bench", "/build/bench/bench/"):
            options = arguments("--programs", programs_folder)
            self.assertEqual((options.results, options.report),
                             ("/build/bench/results.json", run.BENCH))

    def test_some_jobs_or_a_quick_run_write_nothing(self):
        for words in (["--quick"], ["--jobs", "queue"], ["--quick", "--jobs", "queue"]):
            options = arguments(*words)
            self.assertEqual((options.results, options.report), (None, None))

    def test_some_jobs_are_written_where_both_places_are_given(self):
        options = arguments("--jobs", "queue", "--results", "a.json", "--report", "b")
        self.assertEqual((options.results, options.report), ("a.json", "b"))

    def test_what_cannot_be_done_is_refused(self):
        for words in (["--jobs", "queue", "--results", "a"], ["--jobs", "queue", "--report", "b"],
                      ["--quick", "--results", "a"], ["--keep"], ["--rounds", "0"],
                      ["--seconds", "-1"]):
            with self.assertRaises(SystemExit):
                arguments(*words)


class Order(unittest.TestCase):
    def test_ours_come_first_and_limits_last(self):
        found = run.by_job([Contender("imap", who, "") for who in ("limit", "CPython", "ours")])
        self.assertEqual([one.who for one in found["imap"]], ["ours", "CPython", "limit"])

    def test_a_contender_of_no_job_and_two_of_one_name_are_mistakes(self):
        with self.assertRaisesRegex(SystemExit, "no_job/ours: no such job"):
            run.by_job([Contender("no_job", "ours", "")])
        with self.assertRaisesRegex(SystemExit, "imap/ours: more than one"):
            run.by_job([Contender("imap", "ours", "a"), Contender("imap", "ours", "b")])

    def test_another_contender_begins_each_round(self):
        order = []
        contenders = [Contender("job", who, "") for who in "abc"]
        measured = run.measure_job(contenders, 4, lambda one: order.append(one.who) or RATE)
        self.assertEqual("".join(order), "abc" "bca" "cab" "abc")
        self.assertEqual(measured, {who: [RATE] * 4 for who in "abc"})
        self.assertEqual(run.measure_job([], 4, None), {})

    def test_who_took_too_long_once_is_not_tried_again_who_failed_is(self):
        failures = {"slow": Failure("slow", timed_out=True), "bad": Failure("bad")}
        contenders = [Contender("job", who, "") for who in ("slow", "bad", "good")]
        measured = run.measure_job(contenders, 3, lambda one: failures.get(one.who, RATE))
        self.assertEqual({who: len(of_one) for who, of_one in measured.items()},
                         {"slow": 1, "bad": 3, "good": 3})

    def test_samples_and_failures_are_told_apart_by_contender(self):
        samples, failures = run.samples_and_failures(JOBS[0], {
            "ours": [RATE, Failure("broken"), RATE], "limit": [{"real_time": 1}], "CPython": []})
        self.assertEqual(samples, {"ours": [2, 2], "limit": [], "CPython": []})
        self.assertEqual(failures, {"ours": ["broken"], "limit": ["reports no items_per_second"]})


class Run(unittest.TestCase):
    def run_with(self, found, *words):
        """Runs main on JOBS, whose contenders give what `found` has for them; exit status, lines by
        job, who was measured, and the results where some were written."""
        measured = []

        def measure(contender, **options):
            measured.append((contender.job, contender.who, options["longest"]))
            return found[contender.job, contender.who]

        contenders = [Contender(job, who, "") for job, who in found]
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            path = os.path.join(folder, "results.json")
            places = [] if words else ["--results", path, "--report", folder]
            options = arguments("--rounds", "2", *words, *places)
            for where, name, instead in (
                    (run, "arguments", lambda: options), (run, "all_jobs", lambda: JOBS),
                    (programs, "find_contenders", lambda _: contenders),
                    (programs, "measure", measure), (run.machine, "idle", lambda: 0.99)):
                stack.enter_context(mock.patch.object(where, name, instead))
            printed = stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            status = run.main()
            results = None
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    results = {entry["job"]: entry for entry in json.load(file)}
                with open(os.path.join(folder, "RESULTS.md"), encoding="utf-8") as file:
                    self.assertIn("| before | idle 99 % |", file.read())
        lines = {line.split()[0]: line for line in printed.getvalue().split("\n")[1:] if line}
        return status, lines, measured, results

    GOOD = {("queue_int", "ours"): RATE, ("queue_int", "limit"): RATE,
            ("queue_plain", "ours"): RATE, ("lock", "CPython"): RATE}
    BAD = {**GOOD, ("queue_int", "limit"): Failure("exit status 1: broken")}

    def test_a_whole_run_measures_all_and_writes_an_entry_for_each_job(self):
        status, lines, measured, results = self.run_with(self.GOOD)
        self.assertEqual(status, 0)
        self.assertEqual(len(measured), 2 * len(self.GOOD))
        self.assertEqual({name: entry["verdict"] for name, entry in results.items()},
                         {"queue_int": "yes", "queue_plain": "-", "lock": "missing"})
        self.assertEqual(results["queue_int"]["samples"], {"ours": [2, 2], "limit": [2, 2]})
        self.assertLessEqual({"job", "unit", "better", "ours", "peers", "limit", "goal", "met",
                              "ratio_to_best_peer", "ratio_to_limit", "within_spread"},
                             set(results["queue_int"]))
        self.assertLessEqual(set(results), set(lines))

    def test_a_quick_run_prints_all_measures_what_has_a_goal_and_writes_nothing(self):
        status, lines, measured, results = self.run_with(self.GOOD, "--quick")
        self.assertEqual(status, 0)
        self.assertEqual(list(lines), [job.name for job in JOBS])
        self.assertTrue(lines["queue_int"].endswith(" yes"))
        self.assertTrue(lines["queue_plain"].endswith(" not measured"))
        self.assertTrue(lines["lock"].endswith(" missing"))
        self.assertEqual({job for job, _, _ in measured}, {"queue_int"})
        self.assertEqual({longest for _, _, longest in measured}, {15})
        self.assertIsNone(results)

    def test_a_quick_run_measures_once_what_two_jobs_have_beside_them(self):
        both = tuple(jobs.Job(name, "compile", "s", (jobs.Goal(1),), beside=beside)
                     for name, beside in (("small", ""), ("large", "small")))
        good = {(name, who): RATE for name in ("small", "large") for who in ("ours", "Boost")}
        with mock.patch.object(sys.modules[__name__], "JOBS", both):
            _, lines, measured, _ = self.run_with(good, "--quick")
            self.assertEqual({(job, who) for job, who, _ in measured},
                             {("large", "ours"), ("small", "Boost"), ("small", "ours")})
            self.assertIn("(Boost)", lines["large"])
            _, _, measured, _ = self.run_with(good, "--quick", "--jobs", "large")
            self.assertEqual({who for _, who, _ in measured}, {"ours", "Boost"})
            _, _, measured, _ = self.run_with(good)
            self.assertEqual({(job, who) for job, who, _ in measured}, set(good))

    def test_only_the_chosen_jobs_are_measured_and_nothing_is_written(self):
        _, lines, measured, results = self.run_with(self.GOOD, "--jobs", "plain")
        self.assertEqual(list(lines), ["queue_plain"])
        self.assertEqual({job for job, _, _ in measured}, {"queue_plain"})
        self.assertIsNone(results)

    def test_a_failure_makes_the_exit_status_1_and_the_results_are_written(self):
        for words in ((), ("--quick",)):
            status, _, _, results = self.run_with(self.BAD, *words)
            self.assertEqual(status, 1)
        _, _, _, results = self.run_with(self.BAD)
        self.assertEqual(results["queue_int"]["failures"],
                         {"limit": ["exit status 1: broken"] * 2})

    def test_a_runner_that_is_terminated_leaves_no_program_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            fifo, program = os.path.join(folder, "fifo"), os.path.join(folder, "hangs")
            os.mkfifo(fifo)
            for path, text in ((program, f"#!/bin/sh\nexec 3>{fifo}; echo begun >&3; sleep 55\n"),
                               (os.path.join(folder, "programs.txt"), "hangs\n")):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            os.chmod(program, 0o755)
            runner = subprocess.Popen([sys.executable, "-B", run.__file__, "--programs", folder])
            with open(fifo, "rb", buffering=0) as reader:
                self.assertEqual(reader.read(6), b"begun\n")
                runner.terminate()
                self.assertEqual(runner.wait(), 128 + signal.SIGTERM)
                ended, _, _ = select.select([reader], [], [], 20)
                self.assertEqual(ended, [reader])


if __name__ == "__main__":
    unittest.main()
