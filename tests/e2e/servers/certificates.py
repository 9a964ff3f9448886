"""Throw-away certificate authorities; certificates for 127.0.0.1 and localhost, and of clients."""
import collections
import pathlib
import ssl
import subprocess

Certificates = collections.namedtuple("Certificates", "ca certificate key")


def _openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    _openssl(folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
             "-subj", "/CN=driftd tests")
    _openssl(folder, "req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    _openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
             "-out", "server.pem", "-days", "2", "-extfile", "san")
    (folder / "server.key").chmod(0o644)
    return Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")


def trusting(made, client=None):
    """An ssl.SSLContext that trusts the authority of `made`, and shows the certificate of `client`."""
    context = ssl.create_default_context(cafile=str(made.ca))
    if client:
        context.load_cert_chain(str(client.certificate), str(client.key))
    return context
