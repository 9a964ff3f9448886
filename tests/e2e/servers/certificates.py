"""A throw-away certificate authority and a server certificate for 127.0.0.1 and localhost."""
import collections
import pathlib
import subprocess

Certificates = collections.namedtuple("Certificates", "ca certificate key")


def _openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make(folder):
    folder = pathlib.Path(folder)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    _openssl(folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
             "-subj", "/CN=driftd tests")
    _openssl(folder, "req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    _openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
             "-out", "server.pem", "-days", "2", "-extfile", "san")
    (folder / "server.key").chmod(0o644)
    return Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
