# SPDX-License-Identifier: GPL-2.0
"""
Find, download and unpack a Debian kernel with its headers, without installing anything.

A kernel is named by a series ("6.1", "6.12": the newest cloud kernel of that series), by a full version
("6.12.117+deb12-cloud-amd64"), by a fragment in kernels/, from which it is built, or by the directory of a built tree. Point releases move weekly, so names are
resolved when asked for. The result is one directory per version below build/cache/, complete or absent.
"""
import fnmatch
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from . import build, debian
from .common import CACHE, HarnessError, as_harness_error, locked

SERIES = ("6.1", "6.12")       # of "make test"
NEWEST = "7.3"


@dataclass(frozen=True)
class Kernel:
    version: str        # as uname -r prints it
    image: Path         # bzImage
    kdir: Path          # what "make -C" wants for an external module
    modules: Path       # the directory with the kernel's own modules; a tree that is not installed has none
    config: Path        # .config
    fragment: build.Fragment = build.NONE   # what it was built from, if we did

    @property
    def series(self):
        return ".".join(re.split(r"[.\-+]", self.version)[:2])

    @property
    def name(self):
        """What the Makefile wants to hear as KVER."""
        return self.version if self.fragment is build.NONE else self.kdir.name

    @property
    def overlay(self):
        """Is our code in the kernel itself?"""
        return self.fragment.get("overlay") == "1"

    @property
    def slow(self):
        return int(self.fragment.get("slow"))

    def has(self, option):
        """Is CONFIG_@option on?"""
        return re.search(rf"^CONFIG_{option}=[ym]$", self.config.read_text(), re.M) is not None

    def has_built_in(self, module):
        pattern = rf"/{re.sub('[-_]', '[-_]', module)}\.ko$"
        lists = (place / "modules.builtin" for place in (self.modules, self.kdir))
        return any(re.search(pattern, found.read_text(), re.M) for found in lists if found.exists())


def get(name):
    """The kernel called @name, downloaded first if need be."""
    tree = Path(name)
    if build.find(name):
        return from_fragment(name)
    if (tree / "arch/x86/boot/bzImage").exists():
        return from_tree(tree.resolve(), tree / "no-modules")
    try:
        return from_cache(fetch(name))
    except OSError as error:
        raise as_harness_error(error) from None


def matching(names):
    """The names of kernels that @names stands for: "all", or a glob of kernels of our own, or a single one."""
    if names == "all":
        return SERIES
    return fnmatch.filter(build.names(), names) or [names]


def from_fragment(name):
    tree = build.build(name)
    version = (tree / "include/config/kernel.release").read_text().strip()
    return replace(from_tree(tree, tree / f"root/lib/modules/{version}"), fragment=build.find(name)[0])


def from_tree(tree, modules):
    version = (tree / "include/config/kernel.release").read_text().strip()
    return Kernel(version, tree / "arch/x86/boot/bzImage", tree, modules, tree / ".config")


def from_cache(version):
    root = CACHE / version
    # Debian 12's package has lib/modules, Debian 13's usr/lib/modules.
    modules = next(place for place in (root / f"usr/lib/modules/{version}", root / f"lib/modules/{version}") if place.exists())
    # So are image and configuration since 7.1.
    boot = root / "boot"
    if boot.exists():
        return Kernel(version, boot / f"vmlinuz-{version}", kdir(version), modules, boot / f"config-{version}")
    return Kernel(version, modules / "vmlinuz", kdir(version), modules, modules / "config")


def kdir(version):
    """The installed headers if there are any, else the unpacked ones."""
    installed = Path(f"/lib/modules/{version}/build")
    unpacked = CACHE / version / f"usr/src/linux-headers-{version}"
    found = installed if installed.exists() else unpacked
    if not (found / "Makefile").exists():
        raise HarnessError(f"headers of {version} are absent: rm -r {CACHE / version} and run again")
    return found


def fetch(name):
    """Make sure that the kernel @name is in the cache; returns its version."""
    try:
        version = resolve(name)
        if not (CACHE / version).exists():
            with locked(CACHE):
                download(version)
        return version
    except HarnessError as error:
        return offline(name, error)


def offline(name, error):
    """The newest cached kernel that answers to @name, said aloud; or the error."""
    cached = sorted((d for d in CACHE.glob("[0-9]*") if answers(d.name, name)), key=lambda d: d.stat().st_mtime)
    if not cached:
        raise error
    print(f"kernels: {error}; using {cached[-1].name} from the cache", file=sys.stderr)
    return cached[-1].name


def answers(version, name):
    return version == name or (is_series(name) and version.startswith(name + "."))


def is_series(name):
    return re.fullmatch(r"\d+\.\d+", name) is not None


def resolve(name):
    """A series or a full version to a full version."""
    if not is_series(name):
        if not re.fullmatch(r"\d+\.\d+[\w.+~-]*", name):
            raise HarnessError(f"{name}: neither a series like 6.12, a version like uname -r, a fragment in kernels/ nor a built kernel tree")
        return name
    for apt in debian.apts():
        for package in (f"linux-image-{name}-cloud-amd64", "linux-image-cloud-amd64"):
            for dependency in apt.depends(package):
                version = dependency.removeprefix("linux-image-")
                if version.startswith(name + "."):
                    return version
    raise HarnessError(f"no cloud kernel of series {name} in {', '.join(debian.SUITES)}, nor in this machine's own sources")


def download(version):
    """Download and unpack into a temporary directory, then rename: the cache never holds a half."""
    if (CACHE / version).exists():
        return
    work = Path(tempfile.mkdtemp(prefix=f".{version}.", dir=CACHE))
    try:
        (work / "root").mkdir()
        apt, names = packages(version)
        apt.download(names, work, f"kernel {version} and its headers")
        debian.unpack(work, work / "root")
        relocate(work / "root", version)
        debian.run_anywhere(work / "root")
        os.rename(work / "root", CACHE / version)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def packages(version):
    """The image, the headers, and the two packages that the headers lean on; and who has them."""
    headers = f"linux-headers-{version}"
    apt = debian.apt_with(headers)
    parts = [p for p in apt.depends(headers) if re.match(r"linux-headers-.*-common|linux-kbuild-", p)] if apt else []
    if len(parts) < 2:
        raise HarnessError(f"no {headers} in {', '.join(debian.SUITES)}, nor in this machine's own sources: if it is a kernel of your own, "
                           "install its headers")
    # Since 7.1 the image is a package that needs others.
    image = [f"linux-image-{version}-unsigned"]
    if not apt.has(image[0]):
        image = [f"linux-{part}-{version}" for part in ("binary", "modules", "base")]
    return apt, [*image, headers, *parts]


def relocate(root, version):
    """Debian's headers include their common part by an absolute path; say it relative to the file instead."""
    makefile = root / f"usr/src/linux-headers-{version}/Makefile"
    here = "$(dir $(realpath $(lastword $(MAKEFILE_LIST))))"
    text = re.sub(r"^include /usr/src/", f"include {here}../", makefile.read_text(), flags=re.M)
    text = re.sub(r"^KBUILD_OUTPUT=/usr/src/.*", f"KBUILD_OUTPUT := {here}", text, flags=re.M)
    makefile.write_text(text)


def main(argv):
    """Print what a Makefile needs to know about a kernel, in the shell's own syntax."""
    if len(argv) != 1 or argv[0].startswith("-"):
        print(f"usage: fetch-kernel {{{'|'.join([*SERIES, NEWEST, *build.names()])}|VERSION|TREE}}", file=sys.stderr)
        return 0 if argv[:1] == ["--help"] else 2
    try:
        kernel = get(argv[0])
    except HarnessError as error:
        print(f"fetch-kernel: {error}", file=sys.stderr)
        return 1
    for key, value in (("KVER", kernel.version), ("KIMAGE", kernel.image), ("KDIR", kernel.kdir)):
        print(f"{key}='{value}'")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
