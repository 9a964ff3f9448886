"""A wall clock that can be turned while a process runs: an interposer (turned_clock.c)."""
import pathlib
import shutil
import subprocess
import tempfile


class TurnedClock:
    """environment() goes to the process; then turn(seconds) against the real time, either way."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="driftd-clock-"))
        self._offset = self.dir / "offset"
        self._library = self.dir / "turned_clock.so"
        source = pathlib.Path(__file__).with_name("turned_clock.c")
        subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-Wall", "-o", self._library, source, "-ldl"], check=True)

    def environment(self):
        return {"LD_PRELOAD": str(self._library), "TURNED_CLOCK": str(self._offset)}

    def turn(self, seconds):
        written = self.dir / "offset.new"
        written.write_text(str(seconds))
        written.rename(self._offset)

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)
