# SPDX-License-Identifier: MIT
"""Values as people read them: 4.6 µs, 12.3 M messages/s, 8.1 GiB/s."""

_TIME = ((1, "s"), (1e-3, "ms"), (1e-6, "µs"), (0, "ns"))
_BYTES = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (0, "B"))
_COUNT = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (0, ""))
_SCALE = {"ns": 1e-9, "B": 1, "": 1}


def _digits(number):
    """Three digits that say something."""
    if number >= 100 or number == 0:
        return f"{number:.0f}"
    text = f"{number:.1f}" if number >= 10 else f"{number:.2f}"
    return text.rstrip("0").rstrip(".")


def _scaled(value, steps):
    for step, name in steps:
        # 999.7 of one would be shown as 1000.
        if value >= step * 0.9995:
            return f"{_digits(value / (step or _SCALE[name]))} {name}".rstrip()
    return str(value)


def show(value, unit):
    if value is None:
        return "-"
    if unit == "s":
        return _scaled(value, _TIME)
    if unit in ("B", "B/s"):
        return _scaled(value, _BYTES) + unit[1:]
    return f"{_scaled(value, _COUNT)} {unit}"
