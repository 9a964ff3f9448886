"""Fetches the Kafka broker's jars once a machine, into a cache folder."""
import fcntl
import os
import pathlib
import shutil
import subprocess
import xml.etree.ElementTree as ET

from .process import ServerError

_POM = pathlib.Path(__file__).resolve().parent.parent / "kafka" / "pom.xml"


def _kafka_version():
    names = {"m": "http://maven.apache.org/POM/4.0.0"}
    for dependency in ET.parse(_POM).findall(".//m:dependency", names):
        if dependency.findtext("m:groupId", namespaces=names) == "org.apache.kafka":
            return dependency.findtext("m:version", namespaces=names)
    raise ServerError(f"{_POM} names no Kafka")


def jars():
    """The folder with the jars. Test runs side by side wait for the one that fetches; a fetch that
    broke off leaves no stamp and is done again."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "driftd-tests"
    folder = cache / f"kafka-{_kafka_version()}"
    stamp = folder / "complete"
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "kafka.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.stat().st_mtime >= _POM.stat().st_mtime:
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        done = subprocess.run(
            ["mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies", f"-DoutputDirectory={folder}"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode != 0:
            raise ServerError(f"Maven could not fetch Kafka's jars:\n{(done.stdout + done.stderr)[-4000:]}")
        stamp.touch()
    return folder
