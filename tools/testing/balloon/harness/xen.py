# SPDX-License-Identifier: GPL-2.0
"""
Boot real Xen in QEMU, with a dom0 that starts guests, and judge a scenario that runs in dom0.

Nothing is installed: Xen and its tools are unpacked from Debian's packages, the kernel of dom0 and of the guests is
Debian's. QEMU's emulation has SVM with nested paging, so Xen runs PVH and HVM guests without KVM. What must be equal is in
xen/oracle.c, which asks the hypervisor.
"""
import gzip
import re
import shutil
import stat
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from . import debian, guest, initramfs, kernels, ktap, qemu
from .common import BUILD, CACHE, OUT, TESTS, HarnessError, as_harness_error, leading_comment, locked, require, run

XEN = TESTS / "xen"
VERSION = "4.17"
PACKAGES = (f"xen-hypervisor-{VERSION}-amd64", f"xen-utils-{VERSION}", "xen-utils-common", "xenstore-utils",
            f"libxenmisc{VERSION}", "libxencall1", "libxendevicemodel1", "libxenevtchn1", "libxenforeignmemory1",
            "libxengnttab1", "libxenhypfs1", "libxenstore4", "libxentoolcore1", "libxentoollog1", "libyajl2", "libxen-dev")
# With them a program can be linked that needs none of Xen's libraries.
ORACLE_LIBRARIES = ("xenctrl", "xenforeignmemory", "xendevicemodel", "xencall", "xenevtchn", "xengnttab", "xentoollog",
                    "xentoolcore")
TOOLS = ("xl", "xenstored", "xenconsoled", "xen-init-dom0", "libxl-save-helper")
CLIENTS = ("xenstore-read", "xenstore-write", "xenstore-ls", "xenstore-exists")
# xl's own threads load it when they end.
LOADED_LATER = "libgcc_s.so.1"
DOM0_MODULES = ("xen-evtchn", "xen-gntdev", "xen-privcmd", "xenfs")
OUR_MODULES = ("balloon_compaction", "xen_balloon_compaction")
DOMU_PROGRAMS = ("ledger", "verify", "fragment", "compactors")
# guest_loglvl: the oracle would make Xen print a line for each page of another guest.
XEN_WORDS = "console=com1 com1=115200,8n1 dom0_mem=700M,max:700M dom0_max_vcpus=1 loglvl=all guest_loglvl=none"
DOM0_WORDS = "console=hvc0 earlyprintk=xen panic=-1 loglevel=7 init_on_alloc=0"
MEMORY = 2560
SECONDS = 1800          # of QEMU's own time
DIRECTORIES = ("bin", "dev", "proc", "sys", "tmp", "run", "var", "var/lib", "var/log", "etc", "etc/xen", "lib", "lib64",
               "modules", "domu", "usr", "usr/lib", f"usr/lib/xen-{VERSION}", f"usr/lib/xen-{VERSION}/bin")


def scenarios():
    return sorted(path.stem for path in XEN.glob("*.sh") if path.stem != "lib")


def title(name):
    lines = [line[2:] for line in leading_comment(XEN / f"{name}.sh") if line.startswith("# ")]
    return next(line for line in lines if "SPDX" not in line and not line.startswith("shellcheck"))


def unpacked():
    """The packages of Xen, below build/cache/."""
    root = CACHE / f"xen-{VERSION}"
    with locked(CACHE):
        if not root.exists():
            download(root)
    return root


def download(root):
    apt = debian.apt_with(PACKAGES[0])
    if not apt:
        raise HarnessError(f"no {PACKAGES[0]} in {', '.join(debian.SUITES)}, nor in this machine's own sources")
    work = Path(tempfile.mkdtemp(prefix=".xen.", dir=CACHE))
    try:
        apt.download(PACKAGES, work, f"Xen {VERSION} and its tools")
        debian.unpack(work, work / "root")
        (work / "root").rename(root)
    except OSError as error:
        raise as_harness_error(error) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def dom0_kernel(name):
    """The kernel of a series that can be dom0: the flavour for clouds cannot."""
    version = kernels.resolve(name) if kernels.is_series(name) else name
    return kernels.get(version.replace("-cloud", ""))


def libraries(programs, root):
    """Name and contents of each library that the programs load, Xen's own and this machine's, and of the loader."""
    ours = next(root.glob("usr/lib/*/libxenctrl.so.*")).parent
    found = {}
    for program in programs:
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False,
                                env={"LD_LIBRARY_PATH": str(ours), "LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout
        for path in map(Path, re.findall(r"(/\S+) \(0x", listed)):
            found[f"lib64/{path.name}" if path.name.startswith("ld-linux") else f"lib/{path.name}"] = path
        if missing := re.findall(r"(\S+) => not found", listed):
            raise HarnessError(f"{program.name} of Xen needs {missing[0]}, which this machine does not have")
    late = Path(run("gcc", f"-print-file-name={LOADED_LATER}").strip())
    found[f"lib/{LOADED_LATER}"] = late
    return {name: path.resolve().read_bytes() for name, path in found.items()}


def oracle(root):
    """Compiled against Xen's own libraries, and linked with them."""
    directory = BUILD / "guest"
    directory.mkdir(parents=True, exist_ok=True)
    library = next(root.glob("usr/lib/*/libxenctrl.a")).parent
    with locked(directory):
        return initramfs.compiled(XEN / "oracle.c", directory / "oracle", f"-I{root}/usr/include", f"-L{library}",
                                  *(f"-l{name}" for name in ORACLE_LIBRARIES))


def programs_of_xen(root):
    tools = root / f"usr/lib/xen-{VERSION}/bin"
    client = root / "usr/bin/xenstore"
    return {**{f"bin/{name}": tools / name for name in TOOLS if name != "libxl-save-helper"},
            f"usr/lib/xen-{VERSION}/bin/libxl-save-helper": tools / "libxl-save-helper",
            **{f"bin/{name}": client for name in CLIENTS}}


def modules(kernel, names, place):
    """The kernel's own modules by their names, as they are loaded; what is built in is not there."""
    found = {}
    for name in names:
        if path := initramfs.find_module(kernel, name):
            found[f"{place}/{name}.ko"] = initramfs.decompress(path)
    return found


def domu_files(kernel):
    built = BUILD / kernel.version
    files = {"init": (XEN / "domu").read_bytes(), "bin/busybox": Path(require("busybox")).read_bytes()}
    directory = BUILD / "guest"
    with locked(directory):
        for name in DOMU_PROGRAMS:
            program = initramfs.compiled(initramfs.GUEST / f"{name}.c", directory / name)
            files[f"bin/{name}"] = program.read_bytes()
    for name in OUR_MODULES:
        path = built / f"{name}.ko"
        if not path.exists():
            raise HarnessError(f"no {name}.ko in build/{kernel.version}/: run make modules KVER={kernel.version}")
        files[f"modules/{name}.ko"] = initramfs.stripped(path)
    return files


def archive(path, files):
    """A compressed initramfs: Xen copies it, and the guests have little memory."""
    with gzip.open(path, "wb", compresslevel=1) as out:
        cpio = initramfs.Cpio(out)
        for name in DIRECTORIES:
            cpio.add(name, stat.S_IFDIR | 0o755)
        cpio.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
        for name, data in sorted(files.items()):
            cpio.add(name, stat.S_IFREG | 0o755, data)
        cpio.finish()


def dom0_files(kernel, root, scenario, domu):
    programs = programs_of_xen(root)
    files = {"init": (XEN / "dom0").read_bytes(), "lib.sh": (XEN / "lib.sh").read_bytes(),
             "scenario.sh": (XEN / f"{scenario}.sh").read_bytes(), "etc/xen/xl.conf": b'autoballoon="off"\n',
             "bin/busybox": Path(require("busybox")).read_bytes(), "bin/oracle": oracle(root).read_bytes(),
             "domu/kernel": kernel.image.read_bytes(), "domu/initramfs": domu.read_bytes()}
    files.update((name, path.read_bytes()) for name, path in programs.items())
    files.update(libraries(programs.values(), root))
    files.update(modules(kernel, DOM0_MODULES, "modules"))
    return files


def command_line(kernel, work):
    # Commas separate the modules of a multiboot kernel.
    return [require("qemu-system-x86_64"), "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max,-smap,-smep,-erms,-fsrm",
            "-smp", "2", "-m", str(MEMORY), "-nodefaults", "-display", "none", "-no-reboot",
            "-kernel", f"{work}/xen", "-append", XEN_WORDS,
            "-initrd", f"{kernel.image} {DOM0_WORDS},{work}/initramfs",
            "-serial", f"file:{work}/console", "-chardev", "stdio,id=ktap,signal=off",
            "-device", "isa-serial,index=1,chardev=ktap", "-qmp", f"unix:{work}/qmp,server=on,wait=off"]


def run_scenario(name, series, listener, keep):
    """Boot and judge; logs survive only a failure, or on request."""
    report = guest.Report(name)
    started = time.monotonic()
    work = Path(tempfile.mkdtemp(prefix="balloon-xen-"))
    try:
        boot(name, dom0_kernel(series), work, report, listener)
    except HarnessError as error:
        report.add(False, str(error))
    except OSError as error:
        report.add(False, str(as_harness_error(error)))
    finally:
        report.seconds = time.monotonic() - started
        if report.failed or keep:
            report.logs = save_logs(work, name)
        shutil.rmtree(work, ignore_errors=True)
    return report


def save_logs(work, name):
    if not (work / "console").exists():
        return None
    logs = OUT / "logs" / f"xen-{VERSION}" / name
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    for log in guest.LOGS:
        if (work / log).exists():
            shutil.copy(work / log, logs)
    return logs


def boot(name, kernel, work, report, listener):
    root = unpacked()
    archive(work / "domu", domu_files(kernel))
    archive(work / "initramfs", dom0_files(kernel, root, name, work / "domu"))
    (work / "xen").write_bytes(gzip.decompress((root / f"boot/xen-{VERSION}-amd64.gz").read_bytes()))
    argv = command_line(kernel, work)
    (work / "command").write_text(" ".join(argv) + "\n")
    with ExitStack() as stack:
        machine = stack.enter_context(qemu.Qemu(argv, work))
        plan, results, ended = listen(machine, work / "ktap", report, listener)
        if error := machine.error_text():
            report.add(False, f"qemu: {error}")
        report.add(ended, "powered off by itself" if ended else f"still running after {SECONDS} s, in which it could have run")
        report.add(plan == results > 0, f"plan of {plan} results kept, {results} seen")
    judge_console((work / "console").read_text(errors="replace").splitlines(), report)


def listen(machine, path, report, listener):
    """The guest's plan, how many results it had, and whether it ended in time."""
    plan, results, ended = None, 0, False
    with open(path, "wb") as log:
        for line in lines_of(machine):
            if line is None:
                ended = True
                break
            log.write(line + b"\n")
            text = line.decode(errors="replace").rstrip("\r")
            listener(text)
            if match := ktap.RESULT.match(text):
                results += 1
                report.add(match[2] == "ok", match[3])
            elif match := ktap.PLAN.match(text):
                plan = int(match[2])
    return plan, results, ended


def lines_of(machine):
    """Lines of the second serial port, then None; nothing more when the time is up."""
    pipe, rest = machine.process.stdout, b""
    while machine.own.seconds() < SECONDS:
        if not qemu.select.select([pipe], [], [], 1)[0]:
            continue
        if not (data := pipe.read1(65536)):
            yield None
            return
        *lines, rest = (rest + data).split(b"\n")
        yield from lines


def judge_console(lines, report):
    """What the kernels of dom0 and of the guests complain of. Xen itself has warnings of its own about an old processor."""
    found = guest.complaints([line for line in lines if not line.startswith("(XEN)")], "")
    crashed = [line for line in lines if re.search(r"\(XEN\).*(domain_crash|Panic on CPU|Assertion)", line)]
    report.add(not found, f"kernel logs: {found[0]}" if found else "kernel logs are clean")
    report.add(not crashed, f"Xen: {crashed[0]}" if crashed else "no domain has crashed")
