"""A disk that can be full, read-only or hang: an interposer (broken_disk.c) between driftd and its data folder."""
import errno
import pathlib
import shutil
import tempfile

from . import interposer

HANGS = 10000  # as in broken_disk.c


class Disk:
    """environment() goes to the process whose data_dir is `folder` or below; then breaks("ENOSPC") or hangs(),
    and heals()."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="driftd-disk-"))
        self.folder = self.dir / "data"
        self._switch = self.dir / "switch"
        self._library = interposer.make("broken_disk", self.dir)

    def environment(self):
        return {"LD_PRELOAD": str(self._library), "BROKEN_DISK": str(self.folder), "BROKEN_DISK_SWITCH": str(self._switch)}

    def breaks(self, name="ENOSPC"):
        self._turn(getattr(errno, name))

    def hangs(self):
        self._turn(HANGS)

    def heals(self):
        self._switch.unlink(missing_ok=True)

    def _turn(self, number):
        written = self.dir / "switch.new"
        written.write_text(str(number))
        written.rename(self._switch)

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)
