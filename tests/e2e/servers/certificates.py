"""Throw-away certificate authorities; certificates for 127.0.0.1 and localhost, and of clients."""
import collections
import pathlib
import shutil
import ssl
import subprocess

from . import interposer

Certificates = collections.namedtuple("Certificates", "ca certificate key")


def _openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make(folder, authority="driftd tests"):
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    _openssl(folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
             "-subj", f"/CN={authority}")
    _openssl(folder, "req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    _openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
             "-out", "server.pem", "-days", "2", "-extfile", "san")
    (folder / "server.key").chmod(0o644)
    return Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")


def encrypted(made, password):
    """The key of `made` in another file, encrypted."""
    path = made.key.with_suffix(".encrypted.key")
    _openssl(path.parent, "pkey", "-in", str(made.key), "-aes256", "-passout", f"pass:{password}", "-out", str(path))
    return path


def trusting(made, client=None):
    """An ssl.SSLContext that trusts the authority of `made`, and shows the certificate of `client`."""
    context = ssl.create_default_context(cafile=str(made.ca))
    if client:
        context.load_cert_chain(str(client.certificate), str(client.key))
    return context


def as_of_the_system(made, folder):
    """The environment of a driftd for which the authority of `made` is one of the system's."""
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    name = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", made.ca], check=True, capture_output=True, text=True).stdout.strip()
    for file in (f"{name}.0", "ca-certificates.crt"):  # by its hash, and in the bundle of all
        shutil.copy(made.ca, folder / file)
    return {"LD_PRELOAD": str(interposer.make("system_authorities", folder)), "SYSTEM_AUTHORITIES": str(folder)}
