"""Vector engines that knowledge bases can be kept in, each a program that serves until its standard input ends.

Its first line is its URL. PostgreSQL with pgvector is the real one; for the others, which no package carries, there are
programs that speak the documented interface and keep everything in memory.
"""

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


class Engine:
    """One engine as a child process."""

    def __init__(self, name, *args):
        command = [sys.executable, str(HERE / f"{name}.py"), *args]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        assert self.url, f"{name} said nothing"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()
