"""hnswlib on the vectors that `cargo xtask bench-knowledge --only index` wrote: recall@10 and questions a second of
one thread's processor time, for several `ef`. Called by it with the dimensions and the files of what is kept, asked
and right. Then it asks all again for every line that it reads, with the least `ef` whose recall is 0.995, and prints the
seconds for labels alone, and those with what they stand for read from SQLite too: so both sides take turns."""

import json
import sqlite3
import sys
import time

import hnswlib
import numpy

dimensions = int(sys.argv[1])
kept, asked = (numpy.fromfile(path, "<f4").reshape(-1, dimensions) for path in sys.argv[2:4])
right = numpy.fromfile(sys.argv[4], "<u4").reshape(len(asked), 10)

index = hnswlib.Index(space="ip", dim=dimensions)
index.init_index(max_elements=len(kept), ef_construction=128, M=16)
began = time.process_time()
index.add_items(kept, num_threads=1)
print(f"built in {time.process_time() - began:.0f} s", flush=True)


texts = sqlite3.connect(sys.argv[2] + ".sqlite")
texts.execute("CREATE TABLE texts (key INTEGER PRIMARY KEY, text TEXT NOT NULL)")
texts.executemany("INSERT INTO texts VALUES (?, ?)", ((at, f"text {at}") for at in range(len(kept))))
texts.commit()


def read(labels):
    wanted = json.dumps([int(label) for label in labels])
    find = "SELECT t.text FROM json_each(?) wanted JOIN texts t ON t.key = wanted.value"
    return texts.execute(find, (wanted,)).fetchall()


def ask(ef, show=lambda labels: None):
    index.set_ef(ef)
    began = time.process_time()
    found = []
    for one in asked:
        found.append(index.knn_query(one, k=10, num_threads=1)[0][0])
        show(found[-1])
    seconds = time.process_time() - began
    hits = sum(len(set(one) & set(two)) for one, two in zip(found, right))
    return hits / right.size, seconds


chosen = 1000
for ef in (20, 40, 60, 80, 100, 120, 140, 160, 200, 250, 300, 400, 500):
    recall, seconds = ask(ef)
    print(f"ef {ef}: recall {recall:.4f}; {len(asked) / seconds:.0f} a second", flush=True)
    if recall >= 0.995:
        chosen = min(chosen, ef)
        if recall >= 0.999:
            break
print("ready", flush=True)
for _ in sys.stdin:
    print(ask(chosen)[1], ask(chosen, read)[1], flush=True)
