# SPDX-License-Identifier: MIT
"""What peers.py has the processes run that it starts: a process that does not come by fork imports
the main module again, and this is one that costs nothing."""


def nothing():
    pass
