"""The lists of expected/: facts about the whole product that may only shrink."""

import pathlib

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "expected"


def read(name):
    lines = (FOLDER / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def write(name, lines):
    path = FOLDER / name
    comment = [line for line in path.read_text().splitlines() if line.startswith("#")] if path.exists() else []
    path.write_text("\n".join(comment + sorted(lines)) + "\n")
