#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures every job, ours and its peers in turn, and writes results.json, RESULTS.md and charts.

With --quick it prints one line for each job that has a goal and writes nothing.
"""
import argparse
import json
import os
import re
import shlex

import judge
import machine
import programs
import render
from jobs import LIMIT, OURS, UNITS, all_jobs

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", required=True, help="the folder of the built programs")
    parser.add_argument("--results", help="where to write results.json")
    parser.add_argument("--report", default=BENCH, help="the folder of RESULTS.md and charts/")
    parser.add_argument("--quick", action="store_true", help="one line a job, within a minute")
    parser.add_argument("--jobs", default="", help="only jobs whose name has this expression")
    parser.add_argument("--rounds", type=int, help="measurements of each contender")
    parser.add_argument("--seconds", type=float, help="for how long one measurement repeats")
    parser.add_argument("--under", default="", help="a command to run each program under")
    parser.add_argument("--keep", action="store_true",
                        help="take jobs that are not measured from the results.json that is there")
    return parser.parse_args()


def chosen_jobs(options):
    return [job for job in all_jobs()
            if re.search(options.jobs, job.name) and (job.goals or not options.quick)]


def by_job(contenders):
    """The contenders of each job, ours first. A contender of no job is a mistake."""
    of_jobs = {job.name: [] for job in all_jobs()}
    for contender in contenders:
        if contender.job not in of_jobs:
            raise SystemExit(f"{contender.job}/{contender.who}: no such job in runner/jobs.py")
        of_jobs[contender.job].append(contender)
    order = {OURS: 0, LIMIT: 2}
    return {job: sorted(found, key=lambda c: order.get(c.who, 1)) for job, found in of_jobs.items()}


def measure_job(contenders, rounds, seconds, wrapper):
    """Lists of measurements by contender. They take turns, so that all see the same machine."""
    measured = {contender.who: [] for contender in contenders}
    for _ in range(rounds):
        for contender in contenders:
            measured[contender.who].append(programs.measure(contender, seconds, wrapper))
    return measured


def samples_of(job, measured):
    """The values of a job among its measurements."""
    field = UNITS[job.unit][0]
    values = {who: [programs.value_of(one, field) for one in of_one if one]
              for who, of_one in measured.items()}
    return {who: [value for value in of_one if value is not None]
            for who, of_one in values.items()}


def measure_all(jobs, options):
    """Measures and prints a line a job; the samples of all."""
    rounds = options.rounds or (1 if options.quick else 5)
    seconds = options.seconds or (0.03 if options.quick else 0.2)
    contenders = by_job(programs.find_contenders(options.programs))
    measured, samples = {}, {}
    print(render.line_head())
    for job in jobs:
        measured_by = job.measured_by or job.name
        if measured_by not in measured:
            measured[measured_by] = measure_job(contenders[measured_by], rounds, seconds,
                                                shlex.split(options.under))
        samples[job.name] = samples_of(job, measured[measured_by])
        print(render.line(judge.judge_all([job], samples)[0]), flush=True)
    return samples


def compiler_of(options):
    """What built the programs, as CMake has noted beside them."""
    try:
        with open(os.path.join(options.programs, "compiler.txt"), encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return "unknown"


def kept_entries(path, options):
    if not options.keep or not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return {entry["job"]: entry for entry in json.load(file)}


def main():
    options = arguments()
    jobs = chosen_jobs(options)
    load_before = machine.load()
    samples = measure_all(jobs, options)
    if options.quick:
        return
    path = options.results or os.path.join(os.path.dirname(options.programs), "results.json")
    kept = kept_entries(path, options)
    kept.update((entry["job"], entry) for entry in judge.judge_all(jobs, samples))
    entries = [kept[job.name] for job in all_jobs() if job.name in kept]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(entries, file, indent=1, ensure_ascii=False)
    render.write_report(options.report, entries, machine.describe(compiler_of(options), load_before))
    print(f"\nWritten: {path}, {os.path.join(options.report, 'RESULTS.md')}")


if __name__ == "__main__":
    main()
