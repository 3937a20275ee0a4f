# SPDX-License-Identifier: MIT
"""What the report says of the machine and of the tools."""
import os
import tempfile
import types
import unittest
from unittest import mock

import runner_path  # noqa: F401
import machine


class Machine(unittest.TestCase):
    def test_threads_of_a_core_are_counted(self):
        for siblings, threads in (("0", 1), ("0-1", 2), ("0,4", 2), ("0-1,8-9", 4)):
            self.assertEqual(machine.threads_of(siblings), threads)

    def test_how_python_was_optimised_is_told(self):
        for flags, configured, told in (
                ("-g -O3 -Wall -O2", "'--enable-optimizations'", "--enable-optimizations, -O2"),
                ("-O3", "", "without --enable-optimizations, -O3"),
                ("-g", "", "without --enable-optimizations, no -O"),
                ("-O2", "'--with-wheel-pkg-dir=/usr/share/python-wheels/'",
                 "Debian's package, which its own rules optimise, -O2")):
            self.assertEqual(machine.how_built(flags, configured), told)

    def test_idle_is_the_part_of_the_ticks_between_two_looks(self):
        with mock.patch.object(machine, "_ticks", side_effect=[(100, 200), (190, 300)]):
            self.assertAlmostEqual(machine.idle(0), 0.9)
        idle, everything = machine._ticks()
        self.assertTrue(0 < idle < everything)

    def test_the_report_tells_rounds_seconds_and_what_cmake_has_noted(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("compiler.txt", "GNU 1\n"), ("boost.txt", "1.99.0\n")):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(text)
            options = types.SimpleNamespace(programs=folder, rounds=7, seconds=0.25)
            facts = dict(machine.describe(options, 0.987))
        self.assertEqual(facts["measurements"],
                         "7 of each contender, each repeats for about 0.25 s")
        self.assertEqual(facts["before"], "idle 99 %")
        self.assertEqual(facts["compiler"], "GNU 1")
        self.assertIn("threads per core: ", facts["processor"])
        self.assertRegex(facts["peers"], r"^CPython 3\S+ \(/.*: .*-O.*\), Boost 1.99.0$")


if __name__ == "__main__":
    unittest.main()
