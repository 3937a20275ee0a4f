# SPDX-License-Identifier: MIT
"""From samples to a verdict: medians, ratios, and whether a job meets its goals."""
import statistics

from jobs import LIMIT, OURS
from units import show


def median(samples):
    return statistics.median(samples) if samples else None


def spread(samples):
    """Half the distance between the extremes, as a part of the median."""
    middle = median(samples)
    return (max(samples) - min(samples)) / 2 / middle if middle else None


def ratio(value, other):
    return value / other if value is not None and other else None


def best(values, better):
    """The name of the best of `values`, a dictionary; None where there is none."""
    if not values:
        return None
    return (min if better == "less" else max)(values, key=values.get)


def goal_text(job, goal):
    sign = "≤" if job.better == "less" else "≥"
    against = f"{goal.against}'s rate" if goal.of_job and job.better == "more" else goal.against
    if goal.above:
        return f"{sign} {against} + {show(goal.bound, job.unit)}"
    if goal.against:
        return f"{sign} {goal.bound:g} x {against}"
    return f"{sign} {show(goal.bound, job.unit)}"


def reference(goal, values, ours_of_jobs):
    """What the goal is measured against; None where that was not measured."""
    if not goal.against:
        return 1
    return (ours_of_jobs if goal.of_job else values).get(goal.against)


def goal_met(job, goal, values, ours_of_jobs):
    """True, False, or None where something that it needs was not measured."""
    ours, against = values.get(OURS), reference(goal, values, ours_of_jobs)
    if ours is None or against is None:
        return None
    bound = against + goal.bound if goal.above else against * goal.bound
    return ours <= bound if job.better == "less" else ours >= bound


def all_met(verdicts):
    if not verdicts or None in verdicts:
        return False if False in verdicts else None
    return all(verdicts)


def judge(job, samples, ours_of_jobs):
    """The entry of results.json for a job; `samples` are lists of values by contender."""
    values = {who: median(of_one) for who, of_one in samples.items() if of_one}
    peers = {who: value for who, value in values.items() if who not in (OURS, LIMIT)}
    best_peer = best(peers, job.better)
    return {
        "job": job.name,
        "theme": job.theme,
        "unit": job.unit,
        "better": job.better,
        "ours": values.get(OURS),
        "peers": peers,
        "best_peer": best_peer,
        "limit": values.get(LIMIT),
        "limit_is": job.limit,
        "ratio_to_best_peer": ratio(values.get(OURS), peers.get(best_peer)),
        "ratio_to_limit": ratio(values.get(OURS), values.get(LIMIT)),
        "goal": ", ".join(goal_text(job, goal) for goal in job.goals),
        "met": all_met([goal_met(job, goal, values, ours_of_jobs) for goal in job.goals]),
        "spread": {who: spread(of_one) for who, of_one in samples.items() if of_one},
        "repetitions": max((len(of_one) for of_one in samples.values()), default=0),
        "note": job.note,
    }


def verdict(entry):
    """One word for a table: what became of the goal."""
    if entry["ours"] is None:
        return "missing"
    if not entry["goal"]:
        return "-"
    return {True: "yes", False: "no", None: "unknown"}[entry["met"]]


def judge_all(jobs, samples_of_jobs):
    ours_of_jobs = {name: median(samples[OURS])
                    for name, samples in samples_of_jobs.items() if samples.get(OURS)}
    return [judge(job, samples_of_jobs.get(job.name, {}), ours_of_jobs) for job in jobs]
