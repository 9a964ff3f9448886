"""Names that resolve or not as a test says: an interposer (names.c) for those that end in ".test"."""
import pathlib
import shutil
import tempfile

from . import interposer


class Names:
    """environment() goes to the process; know("kafka.test") makes the name resolve, to loopback, and
    know(hangs=["kafka.test"]) makes whoever asks for it wait until it is said otherwise; asked() counts how often it was asked for."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="driftd-names-"))
        self._file = self.dir / "names"
        self._file.write_text("")
        self._library = interposer.make("names", self.dir)

    def environment(self):
        return {"LD_PRELOAD": str(self._library), "NAMES": str(self._file)}

    def know(self, *names, hangs=()):
        written = self.dir / "names.new"
        written.write_text("".join(f"{name} 127.0.0.1\n" for name in names) + "".join(f"{name} hangs\n" for name in hangs))
        written.rename(self._file)

    def asked(self, name):
        try:
            return self._file.with_name("names.asked").read_text().split().count(name)
        except FileNotFoundError:
            return 0

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)
