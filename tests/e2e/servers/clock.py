"""A wall clock that can be turned while a process runs: an interposer (turned_clock.c)."""
import pathlib
import shutil
import tempfile

from . import interposer


class TurnedClock:
    """environment() goes to the process; then turn(seconds) against the real time, either way."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="driftd-clock-"))
        self._offset = self.dir / "offset"
        self._library = interposer.make("turned_clock", self.dir)

    def environment(self):
        return {"LD_PRELOAD": str(self._library), "TURNED_CLOCK": str(self._offset)}

    def turn(self, seconds):
        written = self.dir / "offset.new"
        written.write_text(str(seconds))
        written.rename(self._offset)

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)
