# SPDX-License-Identifier: MIT
"""From samples to a verdict: medians, ratios, and whether a job meets its goals.

The samples of a job are lists of values by contender: a contender that is there, but gave no value,
has an empty list; one that does not exist has none.
"""
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


def compare(holds, mine, theirs):
    """Whether `holds(mine, theirs)` is true of the medians, and whether it is otherwise with an
    extreme of either side, so that the answer lies within the spread."""
    met = holds(median(mine), median(theirs))
    with_extremes = [holds(extreme, median(theirs)) for extreme in (min(mine), max(mine))]
    with_extremes += [holds(median(mine), extreme) for extreme in (min(theirs), max(theirs))]
    return met, any(other != met for other in with_extremes)


def goal_text(job, goal):
    sign = "≤" if job.better == "less" else "≥"
    against = f"{goal.against}'s rate" if goal.of_job and job.better == "more" else goal.against
    if goal.above:
        return f"{sign} {against} + {show(goal.bound, job.unit)}"
    if goal.against:
        return f"{sign} {goal.bound:g} x {against}"
    return f"{sign} {show(goal.bound, job.unit)}"


def reference(goal, samples, ours_of_jobs):
    """Samples of what the goal is measured against; empty where that was not measured."""
    if not goal.against:
        return [1]
    return (ours_of_jobs if goal.of_job else samples).get(goal.against, [])


def goal_met(job, goal, samples, ours_of_jobs):
    """Whether it is met, and whether that lies within the spread; a pair of None where something
    that it needs was not measured."""
    ours, against = samples.get(OURS), reference(goal, samples, ours_of_jobs)
    if not ours or not against:
        return None, None

    def holds(mine, theirs):
        bound = theirs + goal.bound if goal.above else theirs * goal.bound
        return mine <= bound if job.better == "less" else mine >= bound

    return compare(holds, ours, against)


def all_met(outcomes):
    """The same of all goals of a job. They are met within the spread where one of them is, and
    missed within the spread where all that are missed are."""
    missed = [within for met, within in outcomes if met is False]
    if missed:
        return False, all(missed)
    if not outcomes or (None, None) in outcomes:
        return None, None
    return True, any(within for _, within in outcomes)


def verdict(job, samples, failures, met):
    """One word for a table: what became of the job."""
    if OURS not in samples:
        return "missing"
    if OURS in failures:
        return "failed"
    if not samples[OURS]:
        return "not measured"
    if not job.goals:
        return "-"
    return {True: "yes", False: "no", None: "unknown"}[met]


def judge(job, samples, ours_of_jobs, failures=None):
    """The entry of results.json for a job; `ours_of_jobs` are our samples by job, `failures` lists
    of reasons by contender."""
    failures = failures or {}
    values = {who: median(of_one) for who, of_one in samples.items() if of_one}
    peers = {who: value for who, value in values.items() if who not in (OURS, LIMIT)}
    best_peer = best(peers, job.better)
    met, within = all_met([goal_met(job, goal, samples, ours_of_jobs) for goal in job.goals])
    if job.goals and OURS in failures:
        met, within = False, False
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
        "met": met,
        "within_spread": bool(within),
        "verdict": verdict(job, samples, failures, met),
        "samples": samples,
        "failures": failures,
        "spread": {who: spread(of_one) for who, of_one in samples.items() if of_one},
        "note": job.note,
    }


def judge_all(jobs, samples_of_jobs, failures_of_jobs=None):
    """The entries of all jobs; samples and failures are by job and then by contender."""
    ours_of_jobs = {name: samples.get(OURS, []) for name, samples in samples_of_jobs.items()}
    return [judge(job, samples_of_jobs.get(job.name, {}), ours_of_jobs,
                  (failures_of_jobs or {}).get(job.name)) for job in jobs]


def better_than(entry, who, other):
    """Whether `who` is better than `other`, and whether that lies within the spread."""

    def holds(mine, theirs):
        return mine < theirs if entry["better"] == "less" else mine > theirs

    mine, theirs = entry["samples"].get(who), entry["samples"].get(other)
    return compare(holds, mine, theirs) if mine and theirs else (False, False)


def slower_than_peer(entry):
    """Whether the best peer is better than ours, and whether that lies within the spread."""
    return better_than(entry, entry["best_peer"], OURS)


def beat_the_limit(entry):
    """Who is better than the limit by more than the spread."""
    return [who for who in entry["samples"] if better_than(entry, who, LIMIT) == (True, False)]
