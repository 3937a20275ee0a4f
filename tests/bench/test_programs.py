# SPDX-License-Identifier: MIT
"""How programs are found and run: what they print, and every way in which they fail."""
import contextlib
import io
import os
import select
import shlex
import tempfile
import unittest

import runner_path  # noqa: F401
import programs

RESULT = '{"benchmarks": [{"real_time": 1, "time_unit": "s"}]}'


def measure(command, longest=60):
    """What becomes of a contender whose program runs the shell's `command`."""
    contender = programs.Contender("job", "ours", "unused")
    with contextlib.redirect_stderr(io.StringIO()) as told:
        found = programs.measure(contender, 1, ["sh", "-c", command], longest)
    return found, told.getvalue()


class Values(unittest.TestCase):
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


class Measure(unittest.TestCase):
    def test_the_result_is_what_was_printed(self):
        found, told = measure(f"echo {shlex.quote(RESULT)}")
        self.assertEqual((found, told), ({"real_time": 1, "time_unit": "s"}, ""))

    def test_a_failure_has_the_last_line_of_standard_error_and_is_told(self):
        broken = '{"benchmarks": [{"error_occurred": true, "error_message": "no memory"}]}'
        for command, reason in (
                ("echo first >&2; echo last >&2; echo >&2; exit 3", "exit status 3: last"),
                ("exit 3", "exit status 3"),
                ("kill -9 $$", "ended by signal 9"),
                ("echo no match >&2", "printed no result: no match"),
                ("echo '[]'", "printed no result"),
                ("""echo '{"benchmarks": []}'""", "printed no result"),
                (f"echo '{broken}'", "no memory")):
            found, told = measure(command)
            self.assertIsInstance(found, programs.Failure)
            self.assertEqual(str(found), reason)
            self.assertFalse(found.timed_out)
            self.assertEqual(told, f"job/ours: {reason}\n")

    def test_a_program_that_cannot_be_started_is_a_failure(self):
        contender = programs.Contender("job", "ours", "/no/such/program")
        with contextlib.redirect_stderr(io.StringIO()):
            found = programs.measure(contender, 1)
        self.assertIn("No such file", str(found))

    def test_on_timeout_all_processes_that_the_program_has_started_end(self):
        for seconds in (1, 4, 16):  # A busy machine may not start the program in time.
            written, ended, failure = self.killed_after(seconds)
            if written:
                break
        self.assertEqual((written, ended), (b"begun\n", True))
        self.assertTrue(failure.timed_out)
        self.assertEqual(str(failure), f"no end within {seconds} s: last words")

    def killed_after(self, seconds):
        """What a program that hangs has written into a fifo, and whether the fifo came to its end
        long before the program and its child would have ended by themselves."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "fifo")
            os.mkfifo(path)
            reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            self.addCleanup(os.close, reader)
            with self.assertRaises(programs.Failure) as caught:
                programs.run(["sh", "-c", f"exec 3>{path}; echo last words >&2; echo begun >&3; "
                              "sleep 55 & sleep 55"], seconds)
            written = os.read(reader, 100)
            ended, _, _ = select.select([reader], [], [], 20)
            return written, ended == [reader], caught.exception


class Leftovers(unittest.TestCase):
    def test_what_a_program_leaves_behind_when_it_ends_well_is_killed_too(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "fifo")
            os.mkfifo(path)
            reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            self.addCleanup(os.close, reader)
            self.assertEqual(programs.run(["sh", "-c", f"exec 3>{path}; echo begun >&3; "
                                           "sleep 55 >/dev/null 2>&1 & echo done"], 20)[0], "done\n")
            self.assertEqual(os.read(reader, 100), b"begun\n")
            ended, _, _ = select.select([reader], [], [], 20)
            self.assertEqual((ended, os.read(reader, 1)), ([reader], b""))


class Find(unittest.TestCase):
    def folder(self, noted, **scripts):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for name, text in {"programs.txt": noted, **scripts}.items():
            path = os.path.join(folder.name, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(path, 0o755)
        return folder.name

    def test_only_programs_that_cmake_has_noted_are_run(self):
        folder = self.folder("new\n", new="#!/bin/sh\necho queue_int/ours/real_time\n",
                             old="#!/bin/sh\necho queue_old/ours/real_time\n")
        found = programs.find_contenders(folder)
        self.assertEqual([contender for contender in found if contender.who == "ours"],
                         [programs.Contender("queue_int", "ours", os.path.join(folder, "new"))])
        self.assertIn(programs.PEERS, {contender.program for contender in found})

    def test_a_noted_program_that_is_absent_or_fails_is_an_error(self):
        bad = {"bad": "#!/bin/sh\nexit 1\n"}
        for noted, scripts in (("absent\n", {}), ("bad\n", bad), ("", {})):
            with self.assertRaises(SystemExit):
                programs.find_contenders(self.folder(noted, **scripts))


if __name__ == "__main__":
    unittest.main()
