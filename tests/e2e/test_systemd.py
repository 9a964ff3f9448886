"""The systemd unit: systemd takes it, its exposure stays low, its filter lets through what driftd does, and
driftd tells systemd how it is."""
import re
import signal
import socket
import subprocess

import plant
from driftd import BINARY, CONFIGS, Driftd
from servers import free_port, wait_for

UNIT = CONFIGS / "systemd" / "driftd.service"


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, check=False,
                          timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_the_unit_is_valid(tmp_path):
    copy = tmp_path / "driftd.service"
    copy.write_text(UNIT.read_text().replace("/usr/bin/driftd", str(BINARY)))
    status, output = analyze("verify", "--man=no", copy)
    assert status == 0 and "driftd.service" not in output, output


def test_systemd_never_gives_up_starting_it():
    """A start that fails, as with a full disk, is tried again until it works."""
    unit, service = UNIT.read_text().split("[Service]")
    assert re.search(r"^StartLimitIntervalSec=0$", unit, re.MULTILINE), "by default it gives up after 5 starts in 10 s"
    assert re.search(r"^Restart=on-failure$", service, re.MULTILINE)


def test_its_exposure_is_low():
    status, output = analyze("security", "--offline=true", "--threshold=11", "--no-pager", UNIT)  # 1.1 of 10, as docs/SECURITY.md says
    assert status == 0, output


def allowed_calls():
    """The system calls that the unit's filter lets through."""
    def members(name):
        _, output = analyze("syscall-filter", "--no-pager", name)
        for line in output.splitlines():
            if line.startswith("    ") and not line.strip().startswith("#"):
                call = line.strip()
                yield from members(call) if call.startswith("@") else [call]
    allowed = set()
    for filters in re.findall(r"^SystemCallFilter=(.*)$", UNIT.read_text(), re.MULTILINE):
        named = {call for name in filters.lstrip("~").split() for call in members(name)}
        allowed = allowed - named if filters.startswith("~") else allowed | named
    assert {"read", "futex", "fdatasync"} <= allowed and "reboot" not in allowed
    return allowed


class Traced(Driftd):
    def argv(self):
        return ["strace", "-f", "-qq", "-e", "signal=none", "-o", self.dir / "calls", *super().argv()]


def test_its_filter_allows_what_driftd_calls(webhook):
    config = plant.config(
        [{"check": "in_range", "field": "temperature", "min": 0, "max": 50}],
        alerts={"for": 1, "notifiers": {"hook": {"type": "webhook", "url": webhook.url}}})
    away = f"127.0.0.1:{free_port()}"
    for name, source in {"kafka": {"brokers": [away], "topics": ["a"], "group": "a"},
                         "mqtt": {"url": f"mqtt://{away}", "topics": ["a"], "client_id": "a"}}.items():
        config["streams"][name] = {**config["streams"]["plant"], "from": {name: source}}
    with Traced(config) as service:
        plant.post(service, plant.records(0, 2, temperature=90))
        webhook.wait_count(1)
        service.metrics()
        service.signal(signal.SIGHUP)
        service.wait(lambda: "configuration applied" in service.log(), "a reload")
        service.stop()
        calls = set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)[( ]", (service.dir / "calls").read_text(), re.MULTILINE))
    assert len(calls) > 40, calls
    calls -= {"exited"}   # strace's own word
    calls -= {"fchown"}   # SQLite's, when it is root and makes a file, which the unit's driftd is not
    assert calls - allowed_calls() == set()


def test_it_tells_systemd_how_it_is(driftd, tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        systemd.settimeout(10)
        service = driftd(plant.config([]), env={"NOTIFY_SOCKET": str(path)})
        assert systemd.recv(100) == b"READY=1"
        service.reload()
        assert [systemd.recv(100), systemd.recv(100)] == [b"RELOADING=1", b"READY=1"]
        service.child.send_signal(signal.SIGTERM)
        assert systemd.recv(100) == b"STOPPING=1"
        wait_for(lambda: not service.running(), "the end")


def test_it_tells_the_watchdog_that_it_lives(driftd, tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        systemd.settimeout(5)
        service = driftd(plant.config([]), env={"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "3000000"})
        assert systemd.recv(100) == b"READY=1"
        assert [systemd.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        service.child.send_signal(signal.SIGTERM)
        while (told := systemd.recv(100)) == b"WATCHDOG=1":
            pass
        assert told == b"STOPPING=1"
        wait_for(lambda: not service.running(), "the end")
