"""Prove the README on a fresh machine: a clone, Debian's git, make and Python, two commands.

    python tests/tools/fresh_machine.py [--python PYTHON] [--only lab,again,offline,readonly,test]
    python tests/tools/fresh_machine.py --debian sid [--only ...]

The clone lies in a path with a space. The environment is emptied first, so that nothing of this
machine's settings can help. ``lab``: `make lab` serves the first lecture (and no other path).
``again``: a second run is quick. ``offline``: the same without a network (Linux namespaces).
``readonly``: a checkout that cannot be written says what it needs. ``test``: `make test`. Prints a
table. ``--debian``: all of this in another Debian, with the newest Python that it has (for root,
with debootstrap, on Linux; three minutes and 1.5 GB more); what is committed is tested.
"""

import argparse
import http.client
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
LECTURE = "01-finland-no-pooling.ipynb"
NO_NETWORK = (
    "unshare", "--user", "--map-root-user", "--net", "--pid", "--fork", "--mount-proc",
    "--kill-child",
)  # fmt: skip
LOOPBACK = (
    "import fcntl, socket, struct; fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), "
    "0x8914, struct.pack('16sh14x', b'lo', 0x41))"
)
WAIT = """
import sys, time, urllib.request
for _ in range(240):
    try:
        urllib.request.urlopen(sys.argv[1], timeout=5)
        sys.exit(0)
    except OSError:
        time.sleep(0.5)
sys.exit(1)
"""
PACKAGES = (
    "git",
    "make",
    "python3-venv",
    "ca-certificates",
    "chromium",
    "fonts-liberation",
    "bubblewrap",
)
# The new root is pivoted to, not changed to: the kernel gives no user namespace to a process whose
# root is not that of its mounts, and bubblewrap and unshare want one. All goes with the namespace.
ENTER = """
mount --bind "$1" "$1"; cd "$1"
mount -t proc proc proc; mount --rbind /sys sys; mount --rbind /dev dev
mount -t tmpfs -o mode=1777 tmpfs tmp
if test -d /opt; then mount --rbind /opt opt; fi
pivot_root . mnt; umount -l mnt; shift; cd /; exec "$@"
"""
WORRY = ("Traceback", "DeprecationWarning", "SyntaxWarning", "ERROR", "error:", "deprecated")


def environment(home: Path) -> dict[str, str]:
    """What a new user's shell has, and pip's settings of this machine's administrator."""
    kept = {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "SSL_", "HTTP"))}
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {**kept, "HOME": str(home), "PATH": path, "LANG": "C.UTF-8", "SHELL": "/bin/bash"}


def serve(clone: Path, env: dict[str, str], python: str, offline: bool) -> tuple[float, str]:
    """Run `make lab` until the first lecture is served; seconds, and what it printed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = f"--no-browser --ServerApp.port={port} --IdentityProvider.token=t --allow-root"
    command = ["make", "lab", f"PYTHON={python}", f"LAB_ARGS={arguments}"]
    asking = f"http://127.0.0.1:{port}/api/contents/"
    if offline:
        wait = shlex.join([python, "-c", WAIT, f"{asking}{LECTURE}?token=t&content=0"])
        script = f"{shlex.join([python, '-c', LOOPBACK])}; {shlex.join(command)} & {wait}"
        command = [*NO_NETWORK, "sh", "-c", script]
    begun = time.monotonic()
    log = (clone.parent / "lab.log").open("w+")
    process = subprocess.Popen(
        command, cwd=clone, env=env, stdout=log, stderr=log, start_new_session=True
    )
    try:
        if offline:
            if process.wait(timeout=900):
                raise SystemExit(
                    f"not served offline:\n{(clone.parent / 'lab.log').read_text()[-2000:]}"
                )
        else:
            wait_for(f"{asking}{LECTURE}?token=t&content=0", process, clone.parent / "lab.log")
            missing = status(f"{asking}nothing.ipynb?token=t&content=0")
            assert missing == 404, missing
            # Its log is written by now: a signal in the midst of that would print a traceback.
            status(f"{asking}{LECTURE}?token=t&content=0")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)
    return time.monotonic() - begun, (clone.parent / "lab.log").read_text()


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)


def wait_for(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(1800):
        try:
            if status(address) == 200:
                return
        except (OSError, http.client.HTTPException):  # nobody there, or somebody else as yet
            pass
        if process.poll() is not None:
            break
        time.sleep(0.5)
    raise SystemExit(f"make lab does not serve the lecture; it printed:\n{log.read_text()[-3000:]}")


def worrying(text: str) -> list[str]:
    """Lines on the way that a newcomer would worry about."""
    own = ("Location 'file:", "ServerApp", "LabApp")  # this machine's pip settings; Jupyter's log
    lines = text.splitlines()
    found = [i for i, line in enumerate(lines)
             if any(w in line for w in WORRY) and not any(o in line for o in own)]  # fmt: skip
    return [" | ".join(part.strip() for part in lines[max(i - 1, 0) : i + 12]) for i in found]


def debian(suite: str, only: str) -> int:
    """The same in a Debian of its own, which has the machine's certificates and pip settings."""
    with tempfile.TemporaryDirectory(prefix="fresh-debian-", ignore_cleanup_errors=True) as place:
        machine, env = Path(place), environment(Path("/root"))
        machine.chmod(0o755)  # apt fetches as a user of its own
        env = {**env, "DEBIAN_FRONTEND": "noninteractive"}
        namespace = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
        inside = [*namespace, "sh", "-ec", ENTER, "sh", place]
        quiet = {"env": {**os.environ, **env}, "check": True, "stdout": subprocess.DEVNULL}
        subprocess.run(["debootstrap", "--variant=minbase", suite, place], **quiet)
        shutil.copy("/etc/resolv.conf", machine / "etc")
        if Path("/etc/pip.conf").exists():
            shutil.copy("/etc/pip.conf", machine / "etc")
        own = Path("/usr/local/share/ca-certificates")
        shutil.copytree(own, machine / own.relative_to("/"), dirs_exist_ok=True)
        install = ["apt-get", "install", "-qq", "--no-install-recommends", *PACKAGES]
        subprocess.run([*inside, *install], **quiet)
        subprocess.run([*inside, "update-ca-certificates"], **quiet)
        repository = machine / "root" / "hierwidgets"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(repository)], check=True)
        command = ["python3", "tests/tools/fresh_machine.py", "--python", "python3", "--only", only]
        script = 'cd "$HOME/hierwidgets"; python3 --version; exec "$@"'
        return subprocess.run([*inside, "sh", "-ec", script, "sh", *command], env=env).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--only", default="lab,again,offline,readonly,test")
    parser.add_argument("--debian", metavar="SUITE", help="in a new root of this release: sid")
    options = parser.parse_args()
    if options.debian:
        if os.geteuid() or not shutil.which("debootstrap"):
            parser.error("--debian is for root, and needs: apt-get install debootstrap")
        return debian(options.debian, options.only)
    wanted, rows = options.only.split(","), []
    # What its server has begun to import may still write there when it is swept.
    with tempfile.TemporaryDirectory(prefix="fresh machine ", ignore_cleanup_errors=True) as place:
        home, clone = Path(place) / "home", Path(place) / "a folder" / "hierwidgets"
        home.mkdir()
        clone.parent.mkdir()
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        env = environment(home)
        if "lab" in wanted:
            seconds, text = serve(clone, env, options.python, offline=False)
            rows.append(("make lab, first time", f"{seconds:.0f} s", worrying(text)))
        if "again" in wanted:
            seconds, text = serve(clone, env, options.python, offline=False)
            rows.append(("make lab, again", f"{seconds:.0f} s", worrying(text)))
        if "offline" in wanted and shutil.which("unshare"):
            seconds, text = serve(clone, env, options.python, offline=True)
            rows.append(("make lab, offline", f"{seconds:.0f} s", worrying(text)))
        if "test" in wanted:
            begun = time.monotonic()
            done = subprocess.run(["make", "test", f"PYTHON={options.python}"], cwd=clone, env=env,
                                  capture_output=True, text=True)  # fmt: skip
            print(done.stdout[-1500:])
            rows.append(
                (
                    "make test",
                    f"{(time.monotonic() - begun) / 60:.1f} min, "
                    f"{'passed' if done.returncode == 0 else 'FAILED'}",
                    worrying(done.stderr),
                )
            )
        if "readonly" in wanted:
            rows.append(
                ("a checkout that cannot be written", readonly(clone, env, options.python), [])
            )
    for name, figure, lines in rows:
        print(f"{name:36} {figure}")
        for line in lines[:5]:
            print(f"    worrying: {line[:300]}")
    return int(any("FAILED" in figure or lines for _, figure, lines in rows))


def readonly(clone: Path, env: dict[str, str], python: str) -> str:
    """What make says in a checkout that cannot be written, without an environment.

    A mount that is read-only, since root may write whatever the permissions say.
    """
    shutil.rmtree(clone / ".venv", ignore_errors=True)
    script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && cd "$1" && make lab "$2"'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", script, "sh"]
    done = subprocess.run(
        [*command, str(clone), f"PYTHON={python}"], env=env, capture_output=True, text=True
    )
    said = (done.stdout + done.stderr).strip().splitlines()
    good = done.returncode != 0 and any("cannot be written" in line for line in said)
    return f"{'says' if good else 'FAILED to say'}: {said[0] if said else ''}"


if __name__ == "__main__":
    sys.exit(main())
