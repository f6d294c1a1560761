"""Certificates of a test's own authority, made by openssl, and connections that trust it."""

import pathlib
import socket
import ssl
import subprocess


def _openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


class Authority:
    def __init__(self, folder, name="authority"):
        self.folder, self.made = pathlib.Path(folder), 0
        self.cert, self.key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        self._request(self.cert, self.key, name, "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign")

    def _request(self, cert, key, name, *extensions, sign=()):
        added = [part for extension in extensions for part in ("-addext", extension)]
        _openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
            *("-keyout", key, "-out", cert, "-subj", f"/CN={name}", *added, *sign),
        )

    def issue(self, name="server"):
        """(certificate, key) files for localhost."""
        self.made += 1
        cert, key = (self.folder / f"{name}-{self.made}.{end}" for end in ("pem", "key"))
        names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        sign = ("-CA", self.cert, "-CAkey", self.key)
        self._request(cert, key, name, names, "basicConstraints=critical,CA:FALSE", sign=sign)
        return cert, key

    def install(self, folder, pair=None):
        """Puts a certificate and its key where a configuration names them; returns them."""
        pair = pair or self.issue()
        for source, name in zip(pair, ("server.pem", "server.key")):
            # As a careful person replaces a file: nobody sees half of it.
            draft = folder / (name + ".new")
            draft.write_bytes(source.read_bytes())
            draft.rename(folder / name)
        return pair


def config(folder, *more):
    """`[tls]` for what `install` puts into `folder`."""
    return "\n".join(["[tls]", f'cert = "{folder}/server.pem"', f'key = "{folder}/server.key"', *more, ""])


def connect(address, bundle, own=None, alpn=("http/1.1",)):
    """A TLS connection by a client that trusts `bundle` and shows the pair `own`."""
    context = ssl.create_default_context(cafile=str(bundle))
    context.set_alpn_protocols(list(alpn))
    if own:
        context.load_cert_chain(*map(str, own))
    plain = socket.create_connection(address, timeout=60)
    try:
        return context.wrap_socket(plain, server_hostname="localhost")
    except OSError:
        plain.close()
        raise


def shown(address, bundle):
    """The certificate that a new connection is given."""
    with connect(address, bundle) as connection:
        return connection.getpeercert(binary_form=True)


def der(pem):
    return ssl.PEM_cert_to_DER_cert(pathlib.Path(pem).read_text())


def get(connection, target="/outcrop/health"):
    """One request on an open connection; the whole answer as text."""
    connection.sendall(f"GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
    answer = b""
    while part := connection.recv(65536):
        answer += part
    return answer.decode()
