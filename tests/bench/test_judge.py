# SPDX-License-Identifier: MIT
"""What becomes of samples: medians, ratios, verdicts."""
import unittest

import runner_path  # noqa: F401
import judge
from jobs import Goal, Job, all_jobs, times, times_job


def time_job(*goals):
    return Job("start", "start", "s", goals, "raw")


def rate_job(*goals):
    return Job("queue", "queue", "messages/s", goals)


def verdict_of(job, samples, ours_of_jobs=None):
    return judge.verdict(judge.judge(job, samples, ours_of_jobs or {}))


class Judge(unittest.TestCase):
    def test_the_median_counts_and_the_spread_is_told(self):
        entry = judge.judge(time_job(), {"ours": [2.0, 9.0, 1.0]}, {})
        self.assertEqual(entry["ours"], 2.0)
        self.assertEqual(entry["spread"]["ours"], 2.0)
        self.assertEqual(entry["repetitions"], 3)

    def test_the_best_peer_is_the_least_time_and_the_highest_rate(self):
        samples = {"ours": [4], "CPython": [2], "Boost": [8], "limit": [1]}
        of_time = judge.judge(time_job(), samples, {})
        self.assertEqual((of_time["best_peer"], of_time["ratio_to_best_peer"]), ("CPython", 2))
        self.assertEqual(of_time["ratio_to_limit"], 4)
        of_rate = judge.judge(rate_job(), samples, {})
        self.assertEqual((of_rate["best_peer"], of_rate["ratio_to_best_peer"]), ("Boost", 0.5))

    def test_a_goal_of_a_time_is_an_upper_bound_and_of_a_rate_a_lower_one(self):
        self.assertEqual(verdict_of(time_job(Goal(2)), {"ours": [2]}), "yes")
        self.assertEqual(verdict_of(time_job(Goal(2)), {"ours": [2.1]}), "no")
        self.assertEqual(verdict_of(rate_job(Goal(2)), {"ours": [2]}), "yes")
        self.assertEqual(verdict_of(rate_job(Goal(2)), {"ours": [1.9]}), "no")

    def test_a_goal_may_be_a_multiple_of_the_limit_of_a_peer_or_of_another_job(self):
        samples = {"ours": [13], "limit": [10], "CPython": [2]}
        self.assertEqual(verdict_of(time_job(times(1.3)), samples), "yes")
        self.assertEqual(verdict_of(time_job(times(1.2)), samples), "no")
        self.assertEqual(verdict_of(rate_job(times(5, "CPython")), samples), "yes")
        self.assertEqual(verdict_of(rate_job(times(7, "CPython")), samples), "no")
        self.assertEqual(verdict_of(time_job(times_job(1.1, "small")), samples, {"small": 12}),
                         "yes")
        self.assertEqual(verdict_of(time_job(times_job(1.0, "small")), samples, {"small": 12}),
                         "no")

    def test_a_goal_may_lie_a_certain_way_above_the_limit(self):
        goal = Goal(5, "limit", above=True)
        self.assertEqual(verdict_of(time_job(goal), {"ours": [15], "limit": [10]}), "yes")
        self.assertEqual(verdict_of(time_job(goal), {"ours": [16], "limit": [10]}), "no")

    def test_every_goal_must_be_met(self):
        job = rate_job(Goal(2), times(100, "CPython"))
        self.assertEqual(verdict_of(job, {"ours": [200], "CPython": [2]}), "yes")
        self.assertEqual(verdict_of(job, {"ours": [199], "CPython": [2]}), "no")

    def test_what_was_not_measured_is_neither_met_nor_missed(self):
        job = rate_job(Goal(2), times(100, "CPython"))
        self.assertEqual(verdict_of(job, {"ours": [200]}), "unknown")
        self.assertEqual(verdict_of(job, {"ours": [1]}), "no")
        self.assertEqual(verdict_of(job, {"ours": [], "CPython": [2]}), "missing")
        self.assertEqual(verdict_of(job, {}), "missing")
        self.assertEqual(verdict_of(rate_job(), {"ours": [2]}), "-")

    def test_goals_are_told_with_sign_unit_and_what_they_refer_to(self):
        job = rate_job(Goal(12e6), times(2, "Boost"), times_job(0.5, "queue_int"))
        self.assertEqual(judge.judge(job, {}, {})["goal"],
                         "≥ 12 M messages/s, ≥ 2 x Boost, ≥ 0.5 x queue_int's rate")
        self.assertEqual(judge.judge(time_job(times(1.3), Goal(0.02, "limit", above=True)), {},
                                     {})["goal"], "≤ 1.3 x limit, ≤ limit + 20 ms")


class Jobs(unittest.TestCase):
    def test_names_are_unique_and_themes_known(self):
        from jobs import THEMES, UNITS
        names = [job.name for job in all_jobs()]
        self.assertEqual(len(names), len(set(names)))
        for job in all_jobs():
            self.assertIn(job.theme, THEMES)
            self.assertIn(job.unit, UNITS)

    def test_what_a_goal_refers_to_exists(self):
        names = {job.name for job in all_jobs()}
        for job in all_jobs():
            self.assertIn(job.measured_by or job.name, names)
            for goal in job.goals:
                if goal.of_job:
                    self.assertIn(goal.against, names)


if __name__ == "__main__":
    unittest.main()
