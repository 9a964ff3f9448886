"""Prometheus, scraping what the test tells it to, and promtool."""
import subprocess
import urllib.parse

import yaml

from . import http
from .process import Process, ServerError, free_port, wait_for


def promtool(*arguments, cwd=None):
    """Runs promtool; returns (exit status, output)."""
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd=cwd,
                          check=False)
    return done.returncode, done.stdout + done.stderr


class Prometheus(Process):
    name = "prometheus"

    def __init__(self, targets, rule_files=(), interval="500ms", job="driftd", scrape=None):
        """`scrape`: further keys of the scrape configuration (scheme, tls_config, basic_auth)."""
        super().__init__()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._config = self.dir / "prometheus.yml"
        self._config.write_text(yaml.safe_dump({
            "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
            "rule_files": [str(f) for f in rule_files],
            "scrape_configs": [{"job_name": job, "static_configs": [{"targets": list(targets)}],
                                **(scrape or {})}]}))
        status, output = promtool("check", "config", self._config)
        if status != 0:
            raise ServerError(f"promtool refuses the configuration:\n{output}")

    def argv(self):
        return ["prometheus", f"--config.file={self._config}", f"--storage.tsdb.path={self.dir}/data",
                f"--web.listen-address=127.0.0.1:{self.port}"]

    def ready(self):
        return http.get(f"{self.url}/-/ready", timeout=2).status == 200

    def _api(self, path, **query):
        answer = http.get(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}")
        content = answer.json()
        if content["status"] != "success":
            raise ServerError(f"{path} {query}: {content.get('error')}")
        return content["data"]

    def query(self, expression):
        """The instant vector as [(labels, value)]; an error of the expression is a ServerError."""
        data = self._api("query", query=expression)
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(r["metric"], float(r["value"][1])) for r in data["result"]]

    def wait_query(self, expression, timeout=60):
        return wait_for(lambda: self.query(expression), lambda: f"a result of {expression}\n{self.targets()}",
                        timeout, every=0.2)

    def targets(self):
        return [(t["scrapeUrl"], t["health"], t["lastError"]) for t in self._api("targets")["activeTargets"]]

    def alerts(self):
        """[(labels, state, annotations)]"""
        return [(a["labels"], a["state"], a["annotations"]) for a in self._api("alerts")["alerts"]]
