"""The demo finds every fault that it plants, and nothing before the first."""
import re
import socket
import time

from driftd import run_driftd
from servers import free_port


def demo(*arguments, timeout=120):
    began = time.monotonic()
    done = run_driftd("demo", "--listen", f"127.0.0.1:{free_port()}", *arguments, timeout=timeout)
    return done, time.monotonic() - began


def test_every_planted_fault_is_found():
    done, _ = demo("--duration", "40s")
    assert done.returncode == 0, done
    table = done.stdout[done.stdout.index("planted fault  "):]
    rows = re.findall(r"^(pump-\d\d|all pumps): .* (\d\d:\d\d:\d\d) +(\w+(?: of \w+)?) +(\w+)$", table, re.MULTILINE)
    assert len(rows) == 7, table
    assert "7 of 7 planted faults found, 0 finding(s) before the first fault" in table
    after = rows[-1][3]
    assert "slowly" in table and after not in ("5m", "10m"), f"the drift is slow: no first window shows it: {after}"


def test_a_speed_that_does_not_reach_the_end_is_refused_at_once():
    done, took = demo("--duration", "20s", "--speed", "2")
    assert done.returncode == 2 and "--speed 2" in done.stderr and "at least" in done.stderr, done
    assert took < 5 and "NOT FOUND" not in done.stdout, done


def test_an_address_in_use_is_told_before_anything_is_learnt():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run_driftd("demo", "--listen", f"127.0.0.1:{taken.getsockname()[1]}", "--duration", "30s", timeout=60)
    assert done.returncode == 3, done
    assert "learning" not in done.stdout, done
