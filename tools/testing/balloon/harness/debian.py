# SPDX-License-Identifier: GPL-2.0
"""
Debian's packages, of this machine's release or of another one.

The machine's own apt is asked first. What it does not have is looked for in the lists of each release, which are kept
below build/cache/ and come from the machine's own mirror, by its own proxies. Its sources stay as they are.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .common import CACHE, HarnessError, as_harness_error, locked, require, run

SUITES = {"bookworm": ("bookworm", "bookworm-security"), "trixie": ("trixie", "trixie-security"),
          "trixie-backports": ("trixie-backports",)}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
LISTS_SECONDS = 24 * 3600
# The machine's pins, installed packages and hooks are about its own packages.
CONFIGURATION = """\
#clear APT::Default-Release;
#clear APT::Update;
#clear Acquire::Languages;
Dir::Etc::SourceList "{0}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State::Status "/dev/null";
Dir::State::Lists "{0}/lists";
Dir::Cache "{0}";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::Languages {{ "none"; }};
"""


class Apt:
    """The machine's own apt."""
    options = ()
    if_lists_are_old = "run apt-get update (as root)"

    def has(self, package):
        """By its exact name: apt itself takes a name that it does not know for a regular expression."""
        return bool(self.cache("search", "--names-only", f"^{re.escape(package)}$"))

    def depends(self, package):
        """Names that @package depends on."""
        return re.findall(r"Depends: <?([^\s<>]+)", self.cache("depends", package, "--no-recommends")) \
            if self.has(package) else []

    def cache(self, *arguments):
        require("apt-cache")
        return run("apt-cache", *self.options, *arguments)

    def download(self, packages, directory, what):
        """@packages into @directory, which must be there."""
        command = ("apt-get", *self.options, "download")
        try:
            sizes = re.findall(r"^'\S+' \S+ (\d+) ", run(*command, "--print-uris", *packages), re.M)
            print(f"downloading {what}, {sum(map(int, sizes)) / 1e6:.0f} MB", file=sys.stderr, flush=True)
            run(*command, *packages, cwd=directory)
        except HarnessError as error:
            old = f"; apt's lists may be old: {self.if_lists_are_old}" if "Failed to fetch" in str(error) else ""
            raise HarnessError(f"{error}{old}") from None


class Release(Apt):
    """A release of Debian, whatever the machine's own is."""
    if_lists_are_old = "run this again, they are fetched anew"

    def __init__(self, name):
        self.name = name
        self.directory = CACHE / f"apt-{name}"
        self.options = ("-c", self.directory / "apt.conf")
        self.stamp = self.directory / "updated"     # how old the lists are

    def has(self, package):
        self.update(package)
        return super().has(package)

    def update(self, package):
        """Get the lists, for @package, if they are absent or old."""
        with locked(self.directory):
            if self.stamp.exists() and time.time() - self.stamp.stat().st_mtime < LISTS_SECONDS:
                return
            (self.directory / "lists/partial").mkdir(parents=True, exist_ok=True)
            (self.directory / "apt.conf").write_text(CONFIGURATION.format(self.directory))
            sources = self.sources()
            (self.directory / "sources.list").write_text("\n".join(sources) + "\n")
            print(f"this machine's apt has no {package}: fetching lists of {' and '.join(SUITES[self.name])}",
                  file=sys.stderr, flush=True)
            try:
                run("apt-get", *self.options, "update")
                self.stamp.touch()
            except HarnessError as error:
                if not self.stamp.exists():
                    raise HarnessError(f"this machine's apt has no {package}, and {error}. If that is not for want of a network: write into "
                                       f"/etc/apt/sources.list, with a mirror that you reach: {', '.join(sources)}; "
                                       "then run apt-get update (as root)") from None
                print(f"{error}; using the lists of {time.ctime(self.stamp.stat().st_mtime)}", file=sys.stderr)
                self.stamp.touch()      # and not again for each package

    def download(self, packages, directory, what):
        try:
            super().download(packages, directory, what)
        except HarnessError:
            self.stamp.unlink(missing_ok=True)
            raise

    def sources(self):
        """Lines of a sources.list, with the machine's own mirrors."""
        archive, security = mirrors()
        return [f"deb [signed-by={KEYRING}] {security if suite.endswith('-security') else archive} {suite} main"
                for suite in SUITES[self.name]]


def mirrors():
    """Where this machine has Debian from, and Debian's security updates."""
    targets = run("apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Identifier: Packages").splitlines()
    found = dict(reversed([target.rsplit(maxsplit=1) for target in targets]))
    if "Debian" not in found:
        raise HarnessError("apt's sources name no mirror of Debian: write one into /etc/apt/sources.list and run apt-get update (as root)")
    # A mirror has both side by side, if the sources do not name the second.
    return found["Debian"], found.get("Debian-Security", f"{found['Debian'].rstrip('/')}-security")


def apts():
    """All that can be asked for a package, the nearest first."""
    os_release = Path("/etc/os-release")
    own = re.search(r"^VERSION_CODENAME=(\w+)", os_release.read_text() if os_release.exists() else "", re.M)
    yield Apt()
    for name in sorted(SUITES, key=lambda name: not own or name != own[1]):
        yield Release(name)


def apt_with(package):
    """Who has @package; None if nobody does."""
    return next((apt for apt in apts() if apt.has(package)), None)


def unpack(debs, root):
    for deb in sorted(debs.glob("*.deb")):
        run("dpkg", "-x", deb, root)


def run_anywhere(root):
    """Programs below @root may need a newer libc than this machine's: give them one of their own, wherever @root is moved to."""
    programs = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink() and
                path.read_bytes()[:4] == b"\x7fELF" and os.access(path, os.X_OK)]
    needy = [path for path in programs if "version `GLIBC_" in libraries(path)]
    if not needy:
        return
    debs = Path(tempfile.mkdtemp(prefix=".libc.", dir=root))
    newest = Release("trixie")
    newest.update("libc6")
    newest.download(["libc6"], debs, "the libc that its tools need")
    unpack(debs, root / "libc")
    shutil.rmtree(debs)
    loader = next((root / "libc").rglob("ld-linux-x86-64.so.2"))
    libs = next((root / "libc").rglob("libc.so.6")).parent
    for path in needy:
        real = path.with_name(f"{path.name}.elf")
        path.rename(real)
        path.write_text('#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\n'
                        f'exec "$here/{os.path.relpath(loader, path.parent)}" '
                        f'--library-path "$here/{os.path.relpath(libs, path.parent)}" "$here/{real.name}" "$@"\n')
        path.chmod(0o755)


def libraries(program):
    """What the loader says of @program: of another machine's, that it is no program."""
    return subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout


def source(series):
    """The tree of Debian's sources of @series. Nobody writes to it: kernels are built elsewhere."""
    tree = CACHE / f"source-{series}"
    with locked(CACHE):
        if not tree.exists():
            download_source(f"linux-source-{series}", tree)
    return tree


def download_source(package, tree):
    apt = apt_with(package)
    if not apt:
        raise HarnessError(f"no {package} in {', '.join(SUITES)}, nor in this machine's own sources")
    work = Path(tempfile.mkdtemp(prefix=".source.", dir=CACHE))
    try:
        apt.download([package], work, f"{package}, which takes 1.6 GB unpacked")
        unpack(work, work / "root")
        run("tar", "-C", work, "-xf", work / f"root/usr/src/{package}.tar.xz")
        os.rename(work / package, tree)
    except OSError as error:
        raise as_harness_error(error) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
