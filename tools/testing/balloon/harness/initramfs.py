# SPDX-License-Identifier: GPL-2.0
"""
Build the guest's root: busybox, modules, our static C programs, and one scenario.

The archive is written here in cpio's newc format, so that neither root rights nor cpio are needed, and is left
uncompressed: unpacking costs more under emulation than loading does. The same input gives the same bytes.
"""
import gzip
import lzma
import re
import stat
import subprocess
import tempfile
from pathlib import Path

from . import debian
from .common import BUILD, ROOT, TESTS, HarnessError, locked, require, run

GUEST = TESTS / "guest"
SELFTESTS = "6.12"              # the series of which the selftests are
KERNEL_MODULES = ("virtio_pci", "virtio_balloon", "configfs")
OUR_MODULES = ("balloon_compaction", "virtio_balloon", "null_balloon")
TEST_MODULES = ("page_level_balloon", "page_level_balloon_stock", "allocator", "silence", "balloon_sample")
DIRECTORIES = ("bin", "dev", "proc", "sys", "tmp", "modules", "modules/kernel", "modules/ours", "modules/kunit",
               "modules/test")


def build(path, kernel, scenario):
    """Write the initramfs of @scenario for @kernel to @path."""
    with open(path, "wb") as out:
        archive = Cpio(out)
        files = contents(kernel, scenario)
        for name in sorted({*DIRECTORIES, *(str(parent) for name in files for parent in Path(name).parents[:-1])}):
            archive.add(name, stat.S_IFDIR | 0o755)
        archive.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
        for name, data in sorted(files.items()):
            archive.add(name, stat.S_IFREG | 0o755, data)
        archive.finish()
    if scenario.number("kexec"):
        add_itself(path, kernel)


def add_itself(path, kernel):
    """Archives may follow each other: this one holds the first one, and the kernel."""
    data = path.read_bytes()
    with open(path, "ab") as out:
        archive = Cpio(out)
        archive.add("kexec", stat.S_IFDIR | 0o755)
        archive.add("kexec/initramfs", stat.S_IFREG | 0o644, data)
        archive.add("kexec/kernel", stat.S_IFREG | 0o644, kernel.image.read_bytes())
        archive.finish()


def contents(kernel, scenario):
    """Every regular file of the guest by name."""
    files = {"init": (GUEST / "init").read_bytes(), "lib.sh": (GUEST / "lib.sh").read_bytes()}
    files["bin/busybox"] = Path(require("busybox")).read_bytes()
    files["scenario.sh"] = scenario.path.read_bytes()
    files["scenario.env"] = scenario.environment(kernel).encode()
    for program in guest_programs(scenario) + selftests(scenario):
        files[f"bin/{program.name}"] = program.read_bytes()
    for name in scenario.get("programs").split():
        files.update(program_files(name))
    modules = module_files(kernel, scenario)
    files.update((f"modules/{name}.ko", data) for name, data in modules.items())
    files["modules/order"] = load_order(modules).encode()
    return files


def guest_programs(scenario):
    """Compile guest/*.c that changed; the programs are static and fit every kernel."""
    directory = BUILD / "guest"
    sources = [source for source in sorted(GUEST.glob("*.c")) if source.stem != "kexec" or scenario.number("kexec")]
    with locked(directory):
        return [compiled(source, directory / source.stem) for source in sources]


def compiled(source, program, *arguments):
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        temporary = program.with_suffix(".new")
        run("gcc", "-static", "-O2", "-Wall", "-Wextra", "-pthread", "-o", temporary, source, *arguments)
        temporary.replace(program)
    return program


def selftests(scenario):
    """Programs of the newest kernel's selftests, which fit every kernel, with that kernel's headers."""
    wanted = scenario.get("selftests").split()
    if not wanted:
        return []
    tree = debian.source(SELFTESTS)
    directory = BUILD / "selftests"
    with locked(directory):
        headers = directory / "headers/usr/include"
        if not headers.exists():
            run("make", "-s", "-C", tree, f"O={directory / 'headers'}", "headers")
        sources = tree / "tools/testing/selftests/mm"
        return [compiled(sources / f"{name}.c", directory / name, sources / "vm_util.c", "-w", f"-I{headers}")
                for name in wanted]


def program_files(name):
    """A program of this machine, or our own, with the libraries that it needs where it looks for them."""
    program = balloonctl() if name == "balloonctl" else Path(require(name))
    libraries = re.findall(r"(/\S+) \(0x", run("ldd", program))
    return {f"bin/{name}": program.read_bytes(), **{path[1:]: Path(path).read_bytes() for path in libraries}}


def balloonctl():
    """Not static: libsmartcols is not to be had so."""
    directory = BUILD / "balloonctl"
    with locked(directory):
        run("make", "-s", "-C", ROOT / "tools/balloon", f"O={directory}", directory / "balloonctl")
    return directory / "balloonctl"


def module_files(kernel, scenario):
    """Modules by place and name: kernel/ the stock ones, ours/, kunit/ and test/ from build/<version>/."""
    wanted = kernel_modules(scenario)
    found = {f"kernel/{name}": data for name, data in with_dependencies(kernel, wanted).items()}
    built = BUILD / kernel.version
    for name in OUR_MODULES:
        path = find_module(kernel, name) if kernel.overlay else built / f"{name}.ko"
        if path and path.exists():
            found[f"ours/{name}"] = decompress(path) if kernel.overlay else stripped(path)
    for name in TEST_MODULES:
        # With the overlay the kernel's own core is ours.
        path = built / f"{'page_level_balloon_stock' if kernel.overlay and name.startswith('page') else name}.ko"
        if path.exists():
            found[f"test/{name}"] = stripped(path)
    if any(need.startswith("kunit/") for need in scenario.needed_modules()):
        suites = kernel.modules.glob("kernel/**/balloon_*_kunit.ko") if kernel.overlay else built.glob("*_kunit.ko")
        found.update((f"kunit/{path.stem}", stripped(path)) for path in sorted(suites))
    missing = [need for need in scenario.needed_modules()
               if not any(re.fullmatch(need, name) for name in found) and not in_kernel(kernel, need)]
    if missing:
        where = built.relative_to(ROOT)
        what = Path(missing[0]).name.replace(".*", "*_kunit")
        raise HarnessError(f"no {what}.ko in {where}/: run make test-modules KVER={kernel.name}")
    return found


def stripped(path):
    """A module without debug information, as it is installed: in the guest all of it is memory."""
    with tempfile.NamedTemporaryFile(suffix=".ko") as out:
        run("strip", "--strip-debug", "-o", out.name, path)
        return Path(out.name).read_bytes()


def kernel_modules(scenario):
    """The kernel's own that the scenario wants: what else is in memory shows in figures."""
    disk = ("virtio_blk",) if scenario.number("disk") else ()
    mmio = ("virtio_mmio",) if scenario.get("machine") == "microvm" else ()
    return (*KERNEL_MODULES, *disk, *mmio, *scenario.get("modules").split())


def in_kernel(kernel, need):
    """With the overlay modules may be built in; the core always is."""
    name = need.removeprefix("ours/")
    return kernel.overlay and (name == "balloon_compaction" or kernel.has_built_in(name))


def with_dependencies(kernel, names):
    """Modules of the kernel package with what they need. One that is built in is not there; with the overlay it may be neither."""
    found = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        path = find_module(kernel, name)
        if path and name not in found:
            found[name] = decompress(path)
            waiting += dependencies(found[name])
        if not path and not kernel.overlay and not kernel.has_built_in(name):
            raise HarnessError(f"kernel {kernel.name}: {name} is neither built in nor a module below {kernel.modules}")
    return found


def find_module(kernel, name):
    pattern = re.sub("[-_]", "[-_]", name)
    return next(iter(sorted(kernel.modules.glob(f"kernel/**/{pattern}.ko*"))), None)


def decompress(path):
    openers = {".xz": lzma.open, ".gz": gzip.open}
    if path.suffix == ".zst":
        return subprocess.run([require("zstd"), "-dcq", path], capture_output=True, check=True).stdout
    with openers.get(path.suffix, open)(path, "rb") as file:
        return file.read()


def dependencies(data):
    """What a module's own .modinfo section says that it needs."""
    match = re.search(rb"\0depends=([^\0]*)\0", data)
    return [name.replace("-", "_") for name in match[1].decode().split(",") if name] if match else []


def load_order(modules):
    """One line per module: its name, a colon, then everything to load, in order, itself last."""
    return "".join(f"{name}: {' '.join(ordered(name, modules, []))}\n" for name in sorted(modules))


def ordered(name, modules, done):
    for need in dependencies(modules[name]):
        place = next((p for p in ("ours", "kernel") if f"{p}/{need}" in modules), None)
        if place and f"{place}/{need}" not in done:
            ordered(f"{place}/{need}", modules, done)
    if name not in done:
        done.append(name)
    return done


class Cpio:
    """The newc format: fixed headers of hexadecimal fields, everything padded to four bytes."""

    def __init__(self, out):
        self.out = out
        self.inode = 0

    def add(self, name, mode, data=b"", device=(0, 0)):
        self.inode += 1
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
        header = b"070701" + "".join(f"{field:08X}" for field in fields).encode()
        self.padded(header + name.encode() + b"\0")
        self.padded(data)

    def padded(self, data):
        self.out.write(data + b"\0" * (-len(data) % 4))

    def finish(self):
        self.add("TRAILER!!!", 0)
