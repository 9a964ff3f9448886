"""A child process that is waited for until it is ready and that is always ended."""
import atexit
import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import weakref

_running = weakref.WeakSet()
_folders = set()
_handed_out = []  # sockets that hold the names of ports


class ServerError(RuntimeError):
    """A server did not start, answer or stop in time; the message carries the end of its log."""


def free_port():
    """A loopback port that is free, and handed out to nobody else as long as this run lasts: outside those that the system gives to
    whoever asks for any, as it is closed while its server is being restarted."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        reserved = socket.socket(socket.AF_UNIX)
        try:
            reserved.bind(f"\0driftd-port-{port}")  # among all runs on this machine
            with socket.socket() as s:
                s.bind(("127.0.0.1", port))
        except OSError:
            reserved.close()
            continue
        _handed_out.append(reserved)
        return port


def wait_for(probe, what, timeout=60.0, every=0.05):
    """Polls `probe` until it returns something true, and returns that. An exception of the probe
    counts as "not yet". `what` names the thing in the error; it may be a function, so that the
    message can show what was there instead."""
    deadline = time.monotonic() + timeout
    last = None
    while True:
        try:
            result = probe()
            if result:
                return result
            last = None
        except AssertionError:
            raise
        except Exception as error:  # pylint: disable=broad-except
            last = error
        if time.monotonic() > deadline:
            text = what() if callable(what) else what
            raise ServerError(f"not within {timeout:g} s: {text}" + (f" (last error: {last!r})" if last else ""))
        time.sleep(every)


def port_open(port):
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


class Process:
    """Subclasses give `argv()` and `ready()`; `start`, `stop` and `kill` can be called again and
    again on the same ports and the same folder. Start it from the main thread: the kernel ends the
    child when the thread that started it ends, also when this process is killed outright."""

    name = "process"
    start_timeout = 30.0
    stop_timeout = 20.0
    log_to = None  # a descriptor, for standard error instead of the file

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f"driftd-{self.name}-"))
        _folders.add(self.dir)
        self.log_path = self.dir / "log.txt"
        self.child = None

    def argv(self):
        raise NotImplementedError

    def ready(self):
        raise NotImplementedError

    def environment(self):
        return dict(os.environ)

    def spawn(self):
        """Starts the child without waiting for it."""
        assert not self.running(), f"{self.name} runs already"
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *map(str, self.argv())], cwd=self.dir, stdin=subprocess.DEVNULL,
                stdout=log, stderr=self.log_to or subprocess.STDOUT, start_new_session=True, env=self.environment())
        _running.add(self)
        return self

    def log_to_a_full_pipe(self):
        """From the next start on. Returns the other end, which does not block; close both ends at last."""
        unread, self.log_to = os.pipe()
        os.set_blocking(self.log_to, False)
        with contextlib.suppress(BlockingIOError):
            while os.write(self.log_to, b"x" * 4096):
                pass
        os.set_blocking(self.log_to, True)
        os.set_blocking(unread, False)
        return unread

    def start(self):
        self.spawn()

        def probe():
            assert self.running(), f"{self.name} ended with {self.child.returncode} at start\n{self.log_tail()}"
            return self.ready()

        try:
            wait_for(probe, lambda: f"{self.name} ready\n{self.log_tail()}", self.start_timeout)
        except BaseException:
            self.kill()
            raise
        return self

    def running(self):
        return self.child is not None and self.child.poll() is None

    def signal(self, number):
        os.killpg(self.child.pid, number)

    def stop(self, timeout=None):
        """SIGTERM, then SIGKILL; returns the exit status, negative when a signal ended it."""
        if not self.running():
            return self.child.returncode if self.child else None
        self.signal(signal.SIGTERM)
        try:
            return self.child.wait(timeout or self.stop_timeout)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self):
        """SIGKILL for the whole process group, as a power cut would."""
        if self.child is not None:
            try:
                self.signal(signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.child.wait()
            return self.child.returncode
        return None

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self, lines=40):
        return f"--- end of the log of {self.name}\n" + "\n".join(self.log().splitlines()[-lines:]) + "\n---"

    def close(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)
        _folders.discard(self.dir)

    def __enter__(self):
        return self if self.running() else self.start()

    def __exit__(self, *_):
        self.close()


@atexit.register
def _end_all():
    for process in list(_running):
        if process.running():
            process.kill()
    for folder in _folders:
        shutil.rmtree(folder, ignore_errors=True)
