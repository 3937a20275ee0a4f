#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures every job, ours and its peers in turn, and writes results.json, RESULTS.md and charts.

It prints one line a job. The results are of one run: with --quick nothing is written, with --jobs
only where both --results and --report are given. The exit status is 1 where anything failed.
"""
import argparse
import functools
import json
import os
import re
import shlex
import signal
import sys

import judge
import machine
import programs
import render
from jobs import LIMIT, OURS, UNITS, all_jobs

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LONGEST_QUICK_RUN = 15


def above_zero(number):
    def read(text):
        value = number(text)
        if value <= 0:
            raise ValueError(text)
        return value

    return read


def make_parser():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True, help="the folder of the built programs")
    parser.add_argument("--results", help="where to write results.json")
    parser.add_argument("--report", help="the folder of RESULTS.md and charts/")
    parser.add_argument("--quick", action="store_true",
                        help="only lines, within a minute: jobs without a goal are not measured")
    parser.add_argument("--jobs", default="", help="only jobs whose name has this expression")
    parser.add_argument("--rounds", type=above_zero(int), help="measurements of each contender")
    parser.add_argument("--seconds", type=above_zero(float),
                        help="for how long one measurement repeats")
    parser.add_argument("--under", default="", help="a command to run each program under")
    return parser


def places(options):
    """Where results.json and the report go; a pair of None where nothing is to be written."""
    given = options.results, options.report
    if options.quick and any(given):
        raise ValueError("--quick writes nothing")
    if options.jobs and any(given) and not all(given):
        raise ValueError("with --jobs give both --results and --report, or neither")
    if options.quick or options.jobs:
        return given
    build = os.path.dirname(os.path.abspath(options.programs))
    return options.results or os.path.join(build, "results.json"), options.report or BENCH


def arguments(words=None):
    parser = make_parser()
    options = parser.parse_args(words)
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.seconds = options.seconds or (0.01 if options.quick else 0.2)
    try:
        options.results, options.report = places(options)
    except ValueError as error:
        parser.error(str(error))
    return options


def by_job(contenders):
    """The contenders of each job, ours first. One of no job is a mistake, and so are two of one
    name."""
    of_jobs = {job.name: {} for job in all_jobs()}
    for contender in contenders:
        name = f"{contender.job}/{contender.who}"
        if contender.job not in of_jobs:
            raise SystemExit(f"{name}: no such job in runner/jobs.py")
        if contender.who in of_jobs[contender.job]:
            raise SystemExit(f"{name}: more than one")
        of_jobs[contender.job][contender.who] = contender
    order = {OURS: 0, LIMIT: 2}
    return {job: sorted(found.values(), key=lambda c: order.get(c.who, 1))
            for job, found in of_jobs.items()}


def in_turn(contenders, turn):
    """All of them, beginning with another one each turn."""
    first = turn % len(contenders) if contenders else 0
    return contenders[first:] + contenders[:first]


def measure_job(contenders, rounds, measure):
    """Lists of measurements and failures by contender. They take turns, so that all see the same
    machine. Who took too long once is not tried again."""
    measured, hung = {contender.who: [] for contender in contenders}, set()
    for turn in range(rounds):
        for contender in in_turn(contenders, turn):
            if contender.who in hung:
                continue
            found = measure(contender)
            measured[contender.who].append(found)
            if isinstance(found, programs.Failure) and found.timed_out:
                hung.add(contender.who)
    return measured


def value_or_failure(found, field):
    if isinstance(found, programs.Failure):
        return found
    value = programs.value_of(found, field)
    return programs.Failure(f"reports no {field}") if value is None else value


def samples_and_failures(job, measured):
    """The values of a job among its measurements, and the reasons of the failures, by contender."""
    samples, failures = {}, {}
    for who, of_one in measured.items():
        found = [value_or_failure(one, UNITS[job.unit][0]) for one in of_one]
        samples[who] = [one for one in found if not isinstance(one, programs.Failure)]
        reasons = [str(one) for one in found if isinstance(one, programs.Failure)]
        if reasons:
            failures[who] = reasons
    return samples, failures


def measured_by(job):
    return job.measured_by or job.name


def others(measured):
    """The measurements of all but ours."""
    return {who: found for who, found in measured.items() if who != OURS}


def measure_all(jobs, contenders, options):
    """Measures and prints a line a job; the samples and the failures of all."""
    longest = LONGEST_QUICK_RUN if options.quick else programs.LONGEST_RUN
    measure = functools.partial(programs.measure, seconds=options.seconds,
                                wrapper=shlex.split(options.under), longest=longest)
    wanted = {measured_by(job) for job in jobs if job.goals or not options.quick}
    measured, samples, failures = {}, {}, {}
    print(render.line_head())
    for job in jobs:
        name = measured_by(job)
        if name not in measured:
            rounds = options.rounds if name in wanted else 0
            known = others(measured.get(job.beside, {})) if options.quick else {}
            left = [contender for contender in contenders[name] if contender.who not in known]
            measured[name] = {**measure_job(left, rounds, measure), **known}
        samples[job.name], failures[job.name] = samples_and_failures(job, measured[name])
        print(render.line(judge.judge_all([job], samples, failures)[0]), flush=True)
    return samples, failures


def write(options, entries, facts):
    with open(options.results, "w", encoding="utf-8") as file:
        json.dump(entries, file, indent=1, ensure_ascii=False)
    render.write_report(options.report, entries, facts)
    print(f"\nWritten: {options.results}, {os.path.join(options.report, 'RESULTS.md')}")


def exit_on_signals():
    """Each program runs in a session of its own, which no signal from a terminal or to our group
    reaches: it ends with us only where we leave by an exception."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, _: sys.exit(128 + number))


def main():
    options = arguments()
    jobs = [job for job in all_jobs() if re.search(options.jobs, job.name)]
    if not jobs:
        raise SystemExit(f"no job has {options.jobs} in its name")
    contenders = by_job(programs.find_contenders(options.programs))
    idle_before = machine.idle() if options.results else None
    samples, failures = measure_all(jobs, contenders, options)
    if options.results:
        write(options, judge.judge_all(jobs, samples, failures),
              machine.describe(options, idle_before))
    return 1 if any(failures.values()) else 0


if __name__ == "__main__":
    exit_on_signals()
    sys.exit(main())
