"""The real binary: as a service (Driftd) and as a command (run_driftd)."""
import json
import os
import pathlib
import re
import signal
import subprocess

import pytest
import yaml

from servers import Process, ServerError, free_port, http, wait_for

_ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("DRIFTD_BIN") or _ROOT / "build" / "release" / "driftd")
CONFIGS = _ROOT / "configs"


def run_driftd(*arguments, stdin=None, timeout=120, env=None):
    """Runs a command to its end; returns subprocess.CompletedProcess with text output."""
    return subprocess.run([str(BINARY), *map(str, arguments)], input=stdin, capture_output=True, text=True,
                          timeout=timeout, env={**os.environ, **(env or {})}, check=False)


def need_sources(config):
    """Skips the test when a stream of `config` reads from a source that the binary does not have."""
    if not isinstance(config, dict):
        config = yaml.safe_load(pathlib.Path(config).read_text())
    have = set(re.findall(r"^  (\w+)", run_driftd("list", "sources").stdout, re.MULTILINE))
    missing = {source for stream in config["streams"].values() for source in stream["from"]} - have
    if missing:
        pytest.skip(f"this driftd has no source {', '.join(sorted(missing))} yet")


def read_lines(path):
    """JSON lines of a file; none when it is not there. A last line that is still being written
    is left out."""
    path = pathlib.Path(path)
    if not path.exists():
        return []
    text = path.read_text()
    return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]


class Metrics:
    """A parsed text exposition. Samples are kept as (name, {label: value}, number)."""

    _line = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: -?\d+)?$')
    _label = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

    def __init__(self, text):
        self.text, self.samples = text, []
        for line in text.splitlines():
            if line and not line.startswith("#"):
                match = self._line.match(line)
                assert match, f"not a line of the text exposition: {line!r}"
                labels = dict(self._label.findall(match[2] or ""))
                self.samples.append((match[1], labels, float(match[3])))

    def all(self, name, **labels):
        """[(labels, value)] of the series of a family whose labels include the given ones."""
        return [(have, value) for family, have, value in self.samples
                if family == name and labels.items() <= have.items()]

    def get(self, name, **labels):
        """The sum over those series; 0 when there is none, as for a counter that never counted."""
        return sum(value for _, value in self.all(name, **labels))


class Driftd(Process):
    """`config` is a dict (listen and data_dir are filled in), or a path to a file that takes them
    from ${DRIFTD_LISTEN} and ${DRIFTD_DATA_DIR}. start() waits until it answers, not until it is
    ready: wait_ready() does that."""

    name = "driftd"
    start_timeout = 60.0

    def __init__(self, config, env=None, client=None):
        """`client`: options for every HTTP call (user, context); with a context driftd speaks TLS."""
        super().__init__()
        assert BINARY.exists(), f"{BINARY} is not built (or set DRIFTD_BIN)"
        need_sources(config)
        self.port = free_port()
        self.client = client or {}
        self.url = f"{'https' if 'context' in self.client else 'http'}://127.0.0.1:{self.port}"
        self.target = f"127.0.0.1:{self.port}"
        self.data_dir = self.dir / "data"
        self.env = {"DRIFTD_LISTEN": self.target, "DRIFTD_DATA_DIR": str(self.data_dir), **(env or {})}
        self.config_path = self.dir / "driftd.yaml" if isinstance(config, dict) else pathlib.Path(config)
        if isinstance(config, dict):
            self.write_config(config)

    def write_config(self, config):
        """Writes another configuration in place of the one it has; SIGHUP or a restart takes it."""
        service = {"listen": self.target, "data_dir": str(self.data_dir), **config.get("service", {})}
        self.config_path.write_text(yaml.safe_dump({**config, "service": service}, sort_keys=False))

    def argv(self):
        return [BINARY, "run", self.config_path]

    def environment(self):
        return {**os.environ, **self.env}

    def ready(self):
        return self.get("/-/healthy", timeout=2).status == 200

    def get(self, path, **options):
        return http.get(self.url + path, **{**self.client, **options})

    def post(self, path, body=None, **options):
        return http.post(self.url + path, body, **{**self.client, **options})

    def wait_ready(self, timeout=90):
        self.wait(lambda: self.get("/-/ready").status == 200, lambda: f"ready: {self.get('/-/ready')}", timeout)
        return self

    def metrics(self):
        answer = self.get("/metrics")
        assert answer.status == 200, answer
        return Metrics(answer.text)

    def wait_metric(self, name, value, timeout=60, **labels):
        """Waits until the metric is at least `value`; returns the metrics then."""
        self.wait(lambda: self.metrics().get(name, **labels) >= value,
                   lambda: f"{name}{labels} >= {value}, it is {self.metrics().get(name, **labels)}", timeout)
        return self.metrics()

    def findings(self, **wanted):
        """Findings of the log, in its order, whose keys have the given values."""
        return [f for f in read_lines(self.data_dir / "findings.jsonl")
                if all(f.get(key) == value for key, value in wanted.items())]

    def wait_findings(self, enough, what, timeout=60, **wanted):
        """Waits until enough(findings) and returns them."""
        self.wait(lambda: enough(self.findings(**wanted)),
                   lambda: f"{what}; there are {len(self.findings(**wanted))} findings {wanted}", timeout)
        return self.findings(**wanted)

    def wait(self, probe, what, timeout=60):
        """wait_for, and gives up at once when driftd ends; the error has the end of its log."""
        def checked():
            assert self.running(), f"driftd ended with {self.child.returncode}\n{self.log_tail()}"
            return probe()
        wait_for(checked, lambda: f"{what() if callable(what) else what}\n{self.log_tail()}", timeout, every=0.1)

    def reload(self):
        self.child.send_signal(signal.SIGHUP)

    def kill9(self):
        return self.kill()

    def terminate(self, within=35):
        """SIGTERM; returns the exit status, and fails when it takes longer than `within` seconds: service.shutdown_grace and some."""
        self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(within)
        except subprocess.TimeoutExpired:
            raise ServerError(f"driftd runs {within} s after SIGTERM\n{self.log_tail()}") from None

    def peak_memory(self):
        """Bytes resident at most until now."""
        status = pathlib.Path(f"/proc/{self.child.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) << 10

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
