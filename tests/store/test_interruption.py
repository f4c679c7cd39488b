"""Writers that are killed, and writers at the same time: real processes, ended by their own pid."""

import runpy
import subprocess
import sys
import time
from pathlib import Path

from defimon.store.database import Store

SCRIPT = Path(__file__).with_name("import_in_four.py")
ROWS = 20_000


def writer(url, first=0, pause=0.0):
    words = [sys.executable, str(SCRIPT), url, str(first), str(ROWS), str(pause)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def finished(process):
    said, _ = process.communicate(timeout=300)
    return process.returncode == 0 and said.endswith("done\n")


def kill(process, *, at_write, after_seconds):
    for _ in range(at_write):
        assert process.stdout.readline() == "write\n"
    time.sleep(after_seconds)
    process.kill()
    process.communicate()


def test_an_import_that_is_killed_and_run_again_leaves_the_same_content(migrated_url, tmp_path):
    # In the middle of the first write, between writes, and close to the commit.
    for at_write, after_seconds, pause in ((1, 0.01, 0.0), (2, 0.1, 1.0), (4, 0.02, 0.0)):
        kill(writer(migrated_url, pause=pause), at_write=at_write, after_seconds=after_seconds)
        with Store(migrated_url) as store:
            assert store.count("yields") in ({0} if pause else {0, ROWS})
    assert finished(writer(migrated_url))
    with Store(migrated_url) as store:
        assert store.count("yields") == ROWS
        killed = store.content_hash("yields")
    with Store(f"sqlite:///{tmp_path / 'whole.db'}") as store:
        store.migrate()
        store.write("yields", runpy.run_path(str(SCRIPT))["history"](0, ROWS))
        assert store.content_hash("yields") == killed


def test_writers_at_the_same_time_lose_nothing(migrated_url):
    beside = writer(migrated_url, first=0, pause=0.05)
    history = runpy.run_path(str(SCRIPT))["history"](ROWS // 2, ROWS)
    assert beside.stdout.readline() == "write\n"
    with Store(migrated_url) as store:
        for part in history.iter_slices(ROWS // 20):
            store.write("yields", part)
        assert finished(beside)
        assert store.count("yields") == store.read("yields").height == ROWS * 3 // 2


def test_a_reader_sees_the_old_state_until_the_writer_is_done(migrated_url, yields):
    with Store(migrated_url) as writing, Store(migrated_url) as reading:
        with writing.transaction():
            writing.write("yields", yields(("a", 1, 0.1)))
            writing.write("yields", yields(("b", 1, 0.1)))
            assert writing.count("yields") == 2
            assert reading.count("yields") == 0
        assert reading.count("yields") == 2
