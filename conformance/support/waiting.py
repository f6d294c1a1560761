"""Waiting on conditions, never on time alone."""

import threading
import time


def until(condition, seconds, what):
    """Polls until `condition()` is true and returns its value; says `what` never happened otherwise."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        pause.wait(0.02)
