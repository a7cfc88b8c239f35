# SPDX-License-Identifier: GPL-2.0
"""
Build kernels of our own from Debian's sources, below build/kernels/.

A fragment kernels/NAME.config holds the options of one kernel, after "# key: value" lines that say what it is made
from. What a kernel was built from is remembered by content, so that nothing is built twice.
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from . import debian
from .common import BUILD, CACHE, OUT, ROOT, TESTS, HarnessError, locked, read_options, require, run

FRAGMENTS = TESTS / "kernels"
KERNELS = BUILD / "kernels"
COMPILER = "gcc"
CROSS = {"powerpc": "powerpc64le-linux-gnu-"}
# Options that newer kernels have by other names: if a file of theirs has this text, the second for the first.
RENAMED = [
    ("mm/Kconfig", "config BALLOON\n", "CONFIG_MEMORY_BALLOON", "CONFIG_BALLOON"),
    ("mm/Kconfig", "config BALLOON_MIGRATION\n", "CONFIG_BALLOON_COMPACTION", "CONFIG_BALLOON_MIGRATION"),
    ("fs/proc/Kconfig", "config SYSCTL\n", "CONFIG_PROC_SYSCTL", "CONFIG_SYSCTL"),
    ("drivers/hv/Kconfig", "config HYPERV_VMBUS\n", "CONFIG_HYPERV=y", "CONFIG_HYPERV=y\nCONFIG_HYPERV_VMBUS=y"),
]

DEFAULTS = {
    "source": "",               # series of Debian's source packages, such as 6.12; none: only a base for others
    "base": "",                 # fragment whose options come first
    "overlay": "0",             # 1: with our sources in place of the kernel's own balloon, by scripts/overlay
    "scenarios": "*",           # globs of the scenarios that this kernel is for
    "arch": "",                 # to cross-build for, if not this machine's
    "objects": "",              # only these are compiled; nothing can be booted
    "slow": "1",                # how much longer than usual things may take
    "smp": "",                  # processors, whatever the scenario says
    "append": "",               # further kernel command line
    "mem": "0",                 # MiB that the kernel needs for itself, beyond the scenario's
}

# Warnings that count: in our files and in those that lean on them, which are compiled once more, with W=1. What is
# wrong with the kernel's own kernel-doc does not count; that of our files is looked at by make check.
WATCHED = re.compile(r"(mm/(balloon[_/]|vmscan|migrate|compaction)|balloon_compaction\.h|virtio/balloon/|balloon\.c|/cmm\.c)"
                     r".*warning:(?!.*( not described in | description in ))|modpost:.*balloon")
WATCHED_OBJECTS = ("mm/balloon/*.o", "mm/vmscan.o", "mm/migrate.o", "mm/compaction.o",
                   "drivers/virtio/balloon/*.o", "drivers/misc/*balloon.o", "arch/powerpc/platforms/pseries/cmm.o")


@dataclass(frozen=True)
class Fragment:
    options: dict
    config: tuple = ()

    def get(self, key):
        return self.options.get(key, DEFAULTS[key])


NONE = Fragment({})


def names():
    """Kernels that can be built: a fragment for several sources makes one of each."""
    return [name for path in sorted(FRAGMENTS.glob("*.config")) for name in kernels_of(path.stem)]


def kernels_of(fragment):
    sources = load(fragment).get("source").split()
    return [fragment] if len(sources) == 1 else [f"{fragment}-{source}" for source in sources]


def find(name):
    """The fragment and the source of the kernel called @name, or None."""
    for path in FRAGMENTS.glob("*.config"):
        if name in kernels_of(path.stem):
            fragment = load(path.stem)
            return fragment, fragment.get("source").split()[kernels_of(path.stem).index(name)]
    return None


def load(name):
    path = FRAGMENTS / f"{name}.config"
    options = read_options(path, DEFAULTS)
    lines = path.read_text(encoding="utf-8").splitlines()
    base = load(options["base"]).config if "base" in options else ()
    return Fragment(options, (*base, *(line for line in lines if re.match(r"CONFIG_|# CONFIG_", line))))


def build(name):
    """The tree of the kernel called @name, built first if anything that it is made from has changed."""
    fragment, series = find(name)
    tree = KERNELS / name
    # The sources with the overlay are shared, and one build uses all processors.
    with locked(KERNELS):
        source = debian.source(series)
        if fragment.get("overlay") == "1":
            source = overlaid(source)
        fragment = replace(fragment, config=in_words_of(source, fragment.config))
        key = content_key(fragment, source)
        stamp = tree / "built-from"
        if not stamp.exists() or stamp.read_text() != key:
            stamp.unlink(missing_ok=True)
            compile_kernel(fragment, source, tree)
            stamp.write_text(key)
    return tree


def in_words_of(source, config):
    """Options by the names that they have in these sources."""
    text = "\n".join(config)
    for kconfig, has, old, new in RENAMED:
        if has in (source / kconfig).read_text(encoding="utf-8"):
            text = text.replace(old, new)
    return tuple(text.splitlines())


def overlaid(pristine):
    """A copy, by hard links if that is possible, with the overlay applied; of its files only those that differ are written."""
    tree = KERNELS / f"{pristine.name}-overlay"
    if not tree.exists():
        copy = tree.with_suffix(".new")
        shutil.rmtree(copy, ignore_errors=True)
        try:
            run("cp", "-al", pristine, copy)
        except HarnessError:
            shutil.rmtree(copy, ignore_errors=True)
            run("cp", "-a", pristine, copy)
        copy.rename(tree)
    run(ROOT / "scripts/overlay", tree)
    return tree


def content_key(fragment, source):
    """Of everything that goes into a kernel; the overlay's own store has the contents of its files."""
    parts = [run(COMPILER, "--version"), *fragment.config]
    files = [path for path in (source / "Makefile", source / ".balloon-overlay") if path.exists()]
    parts += [path.read_bytes().decode("latin-1") for path in files]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def compile_kernel(fragment, source, tree):
    print(f"build: kernel {tree.name}, some minutes", file=sys.stderr, flush=True)
    tree.mkdir(parents=True, exist_ok=True)
    wanted = tree / "wanted.config"
    wanted.write_text("\n".join([*fragment.config, f'CONFIG_LOCALVERSION="-{tree.name}"',
                                 "# CONFIG_LOCALVERSION_AUTO is not set"]) + "\n")
    log = OUT / f"build-{tree.name}.log"
    log.parent.mkdir(exist_ok=True)
    with open(log, "w", encoding="utf-8") as output:
        cross = [f"ARCH={arch}", f"CROSS_COMPILE={CROSS[arch]}"] if (arch := fragment.get("arch")) else []
        make(source, tree, output, *cross, "allnoconfig", f"KCONFIG_ALLCONFIG={wanted}")
        check_config(fragment, tree)
        for old in (path for glob in WATCHED_OBJECTS for path in tree.glob(glob)):
            old.unlink()
        if not fragment.get("objects"):
            make(source, tree, output, f"-j{os.cpu_count()}", "bzImage", "modules")
            make(source, tree, output, "modules_install", f"INSTALL_MOD_PATH={tree / 'root'}")
        if fragment.get("overlay") == "1":
            make(source, tree, output, *cross, f"-j{os.cpu_count()}", "W=1", *watched(fragment, tree))
    lines = log.read_text(errors="replace").splitlines()
    (tree / "warnings").write_text("".join(f"{line}\n" for line in lines if WATCHED.search(line)))


def watched(fragment, tree):
    """
    The objects whose warnings count: as the fragment says, or of all that was compiled. Our folders are compiled as
    a whole, since each has an object that lies above it.
    """
    found = (path.relative_to(tree) for glob in WATCHED_OBJECTS for path in tree.glob(glob))
    found = {f"{path.parent}/" if path.parent.name == "balloon" else str(path) for path in found}
    return fragment.get("objects").split() or sorted(found)


def make(source, tree, output, *arguments):
    prefix = next((a.removeprefix("CROSS_COMPILE=") for a in arguments if a.startswith("CROSS_COMPILE=")), "")
    compiler = ("ccache " if shutil.which("ccache") else "") + require(prefix + COMPILER)
    env = dict(os.environ, LC_ALL="C", CCACHE_DIR=str(CACHE / "ccache"), CCACHE_MAXSIZE="4G")
    # It ends with us, also when we are killed: two in one tree would spoil it.
    command = [require("setpriv"), "--pdeathsig", "TERM", "--", require("make"), "-s", "-C", source, f"O={tree}",
               f"CC={compiler}", *arguments]
    with subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env) as process:
        try:
            process.wait()
        except BaseException:
            process.terminate()     # make ends its own children, if it can
            raise
    if process.returncode:
        log = Path(output.name)
        lines = log.read_text(errors="replace").splitlines()
        error = next((line for line in lines if re.search(r"error:|\*\*\*|Error", line)), "")
        raise HarnessError(f"kernel {tree.name} does not build: {error.strip()} (all of it: {log.relative_to(ROOT)})")


def check_config(fragment, tree):
    """An option that silently did not take effect would make a different kernel than its name says."""
    config = set((tree / ".config").read_text().splitlines())
    final = {re.search(r"CONFIG_\w+", line)[0]: line for line in fragment.config}
    for option, line in final.items():
        absent = line.startswith("#") and not any(other.startswith(f"{option}=") for other in config)
        if line not in config and not absent:
            raise HarnessError(f"kernel {tree.name}: {line} did not take effect; a dependency is missing")
