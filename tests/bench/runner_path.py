# SPDX-License-Identifier: MIT
"""Lets the tests beside it import the modules of bench/runner."""
import os
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "bench", "runner"))
