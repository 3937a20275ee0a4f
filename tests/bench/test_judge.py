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
    return judge.judge(job, samples, ours_of_jobs or {})["verdict"]


def within_spread(job, samples, ours_of_jobs=None):
    return judge.judge(job, samples, ours_of_jobs or {})["within_spread"]


class Judge(unittest.TestCase):
    def test_the_median_counts_and_the_spread_is_told(self):
        entry = judge.judge(time_job(), {"ours": [2.0, 9.0, 1.0]}, {})
        self.assertEqual(entry["ours"], 2.0)
        self.assertEqual(entry["spread"]["ours"], 2.0)
        self.assertEqual(entry["samples"]["ours"], [2.0, 9.0, 1.0])

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
        self.assertEqual(verdict_of(time_job(times_job(1.1, "small")), samples, {"small": [12]}),
                         "yes")
        self.assertEqual(verdict_of(time_job(times_job(1.0, "small")), samples, {"small": [12]}),
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
        self.assertEqual(verdict_of(job, {"ours": [], "CPython": [2]}), "not measured")
        self.assertEqual(verdict_of(rate_job(), {"ours": [2]}), "-")

    def test_a_job_that_nobody_does_as_ours_is_missing(self):
        for job in (rate_job(Goal(2)), rate_job()):
            entry = judge.judge(job, {"CPython": [2]}, {})
            self.assertEqual((entry["verdict"], entry["met"]), ("missing", None))

    def test_a_job_whose_ours_failed_once_is_failed_and_not_met(self):
        for good in ([], [9, 9]):
            entry = judge.judge(rate_job(Goal(2)), {"ours": good}, {}, {"ours": ["exit status 1"]})
            self.assertEqual((entry["verdict"], entry["met"]), ("failed", False))
            self.assertFalse(entry["within_spread"])
        without_goal = judge.judge(rate_job(), {"ours": []}, {}, {"ours": ["exit status 1"]})
        self.assertEqual((without_goal["verdict"], without_goal["met"]), ("failed", None))

    def test_a_peer_that_failed_leaves_a_goal_against_it_unknown(self):
        entry = judge.judge(rate_job(times(2, "CPython")), {"ours": [9], "CPython": []}, {},
                            {"CPython": ["exit status 1"]})
        self.assertEqual((entry["verdict"], entry["met"]), ("unknown", None))

    def test_a_verdict_is_within_the_spread_where_an_extreme_of_either_side_changes_it(self):
        job = time_job(times(2))
        self.assertFalse(within_spread(job, {"ours": [17, 18, 19], "limit": [9.8, 10, 11]}))
        self.assertTrue(within_spread(job, {"ours": [17, 18, 21], "limit": [10, 10, 10]}))
        self.assertTrue(within_spread(job, {"ours": [18, 18, 18], "limit": [8, 10, 11]}))
        self.assertTrue(within_spread(job, {"ours": [19, 22, 23], "limit": [10, 10, 10]}))
        self.assertTrue(within_spread(job, {"ours": [22, 22, 22], "limit": [9, 10, 12]}))
        self.assertFalse(within_spread(job, {"ours": [21, 22, 23], "limit": [9, 10, 10.4]}))

    def test_the_spread_counts_also_for_plain_bounds_rates_and_other_jobs(self):
        self.assertTrue(within_spread(time_job(Goal(2)), {"ours": [1, 1, 3]}))
        self.assertFalse(within_spread(time_job(Goal(4)), {"ours": [1, 1, 3]}))
        self.assertTrue(within_spread(rate_job(Goal(2)), {"ours": [1, 3, 3]}))
        other = time_job(times_job(1.0, "small"))
        self.assertTrue(within_spread(other, {"ours": [9]}, {"small": [8, 10, 10]}))
        self.assertFalse(within_spread(other, {"ours": [9]}, {"small": [9.5, 10, 10]}))

    def test_of_several_goals_those_count_that_could_change_the_verdict_of_the_job(self):
        close, far_met, far_missed = Goal(2), Goal(9), Goal(0.1)
        samples = {"ours": [1.5, 1.9, 2.1]}
        self.assertTrue(within_spread(time_job(close, far_met), samples))
        self.assertFalse(within_spread(time_job(close, far_missed), samples))
        self.assertEqual(verdict_of(time_job(close, far_missed), samples), "no")
        self.assertTrue(within_spread(time_job(close, far_met), {"ours": [1.5, 2.1, 2.2]}))
        self.assertFalse(within_spread(time_job(close, far_missed), {"ours": [1.5, 2.1, 2.2]}))

    def test_met_stays_true_or_false_within_the_spread(self):
        entry = judge.judge(time_job(Goal(2)), {"ours": [1, 1, 3]}, {})
        self.assertIs(entry["met"], True)
        self.assertEqual(entry["verdict"], "yes")

    def test_slower_than_the_best_peer_is_told_of_times_and_of_rates(self):
        for job in (time_job(), rate_job()):
            entry = judge.judge(job, {"ours": [3], "CPython": [4], "Boost": [2]}, {})
            self.assertEqual(judge.slower_than_peer(entry), (True, False))
        alone = judge.judge(time_job(), {"ours": [3]}, {})
        self.assertEqual(judge.slower_than_peer(alone), (False, False))
        close = judge.judge(time_job(), {"ours": [1, 3, 3], "Boost": [2]}, {})
        self.assertEqual(judge.slower_than_peer(close), (True, True))

    def test_a_limit_is_beaten_where_the_spread_does_not_explain_it(self):
        samples = {"ours": [3, 4, 5], "CPython": [3, 4, 7], "limit": [6, 6, 6]}
        self.assertEqual(judge.beat_the_limit(judge.judge(time_job(), samples, {})), ["ours"])
        more = {"ours": [8, 9], "CPython": [5, 6], "limit": [6, 7]}
        self.assertEqual(judge.beat_the_limit(judge.judge(rate_job(), more, {})), ["ours"])
        self.assertEqual(judge.beat_the_limit(judge.judge(time_job(), {"ours": [1]}, {})), [])

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
