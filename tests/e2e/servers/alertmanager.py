"""Alertmanager, seen through amtool and, when asked, through the webhook it calls itself."""
import json
import ssl
import subprocess

import yaml

from . import http
from .process import Process, ServerError, free_port


class Alertmanager(Process):
    name = "alertmanager"

    def __init__(self, webhook_url=None, certificates=None):
        """`certificates`: with them it speaks TLS only."""
        super().__init__()
        self.port = free_port()
        self.url = f"{'https' if certificates else 'http'}://127.0.0.1:{self.port}"
        self._web_config = self._context = self._client = None
        if certificates:
            self._context = ssl.create_default_context(cafile=certificates.ca)
            self._client = self.dir / "amtool.yml"
            self._client.write_text(yaml.safe_dump({"tls_config": {"ca_file": str(certificates.ca)}}))
            self._web_config = self.dir / "web.yml"
            self._web_config.write_text(yaml.safe_dump({"tls_server_config": {
                "cert_file": str(certificates.certificate), "key_file": str(certificates.key)}}))
        receiver = {"name": "tests"}
        if webhook_url:
            receiver["webhook_configs"] = [{"url": webhook_url, "send_resolved": True}]
        self._config = self.dir / "alertmanager.yml"
        self._config.write_text(yaml.safe_dump({
            # Notify at once: the test waits for it.
            "route": {"receiver": "tests", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s",
                      "repeat_interval": "1h"},
            "receivers": [receiver]}))

    def argv(self):
        # An empty cluster address: no gossip with anybody.
        return ["prometheus-alertmanager", f"--config.file={self._config}", f"--storage.path={self.dir}/data",
                f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address=",
                *([f"--web.config.file={self._web_config}"] if self._web_config else [])]

    def ready(self):
        return http.get(f"{self.url}/-/ready", timeout=2, context=self._context).status == 200

    def amtool(self, *arguments):
        client = [f"--http.config.file={self._client}"] if self._client else []
        done = subprocess.run(["amtool", f"--alertmanager.url={self.url}", *client, *arguments], capture_output=True, text=True,
                              timeout=30, check=False)
        if done.returncode != 0:
            raise ServerError(f"amtool {arguments}: {done.stdout}{done.stderr}\n{self.log_tail()}")
        return done.stdout

    def alerts(self):
        """The active alerts as amtool shows them; resolved ones are not among them."""
        return json.loads(self.amtool("alert", "query", "-o", "json"))
