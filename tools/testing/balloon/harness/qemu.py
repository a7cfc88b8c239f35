# SPDX-License-Identifier: GPL-2.0
"""
One QEMU process: its command line, its control socket, and the certainty that it ends.

The guest's console goes to a file, its second serial port to our standard output pipe, QEMU's trace to a file.
The kernel kills the process when we die (setpriv --pdeathsig), kill_all() does when we are interrupted. Every bound is in
the process's own time.
"""
import json
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from .common import BUILD, HarnessError, require

# A pattern, for QEMU says so if it does not know a name: up to QEMU 10 it is ram_block_discard_range, then ..._shared_range.
EVENTS = ("virtio_queue_notify", "virtio_balloon_handle_output", "ram_block_discard_*range", "pci_cfg_write",
          "virtio_set_status", "virtio_balloon_to_target")
KVM_TRIAL_SECONDS = 5
START_SECONDS = 10
DEVICE_PATH = "/machine/peripheral/balloon0"
# microvm needs ACPI to power off, and its PCI host bridge is only there for the ledger's marks.
MACHINES = {"q35": "q35", "microvm": "microvm,acpi=on,pcie=on"}
TRANSPORTS = {"q35": "virtio-balloon-pci", "microvm": "virtio-balloon-device"}
QMP_SECONDS = 60
CONSOLE = "console=ttyS0 panic=-1 loglevel=7"

running = set()
running_lock = threading.Lock()
interrupted = threading.Event()


def kill_all():
    """End every guest and let no new one begin."""
    interrupted.set()
    with running_lock:
        for process in running:
            process.kill()


def end_when_interrupted(name):
    """On ^C or a request to end: no guest outlives us, one sentence, status 130. Threads that wait for guests end with them."""
    def handler(*_):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        kill_all()
        print(f"{name}: interrupted, no guest is left running", file=sys.stderr, flush=True)
        sys.exit(130)
    signal.signal(signal.SIGTERM, handler)
    signal.signal(signal.SIGINT, handler)
    return handler


class OwnTime:
    """
    The seconds of a process in which it ran or slept, without those in which it waited for a processor.

    On an idle machine that is what the clock on the wall says. On a busy one it stands still while others run, so no bound
    is reached because of them; yet it comes to one when the process spins, and when it sleeps for ever. Its threads may
    wait for each other, so all of them count that wait for a processor, but never so much that less has passed than they
    ran.
    """
    LOOK_EVERY = 0.2

    def __init__(self, pid, processors=1):
        self.tasks, self.processors = Path(f"/proc/{pid}/task"), processors
        self.passed, self.at = 0.0, time.monotonic()
        self.known = self.threads()

    def threads(self):
        """By thread, for how many nanoseconds it ran, and waited while it could have run."""
        found = {}
        for path in self.tasks.glob("*/schedstat"):
            try:
                found[path.parent.name] = tuple(map(int, path.read_text().split()[:2]))
            except OSError:     # it has ended
                pass
        return found

    def seconds(self):
        """What has passed until now; nothing does when the process is gone."""
        elapsed = time.monotonic() - self.at
        if elapsed < self.LOOK_EVERY or not self.tasks.exists():
            return self.passed
        threads = self.threads()
        ran, waited = (sum(now[i] - self.known.get(name, (0, 0))[i] for name, now in threads.items()) / 1e9 for i in (0, 1))
        # A kernel without these counts: then a hang is all that can be told.
        self.passed += max(ran / self.processors, elapsed - waited) if threads else elapsed / 10
        self.known, self.at = threads, self.at + elapsed
        return self.passed


def command_line(kernel, scenario, boot, work, words=""):
    """
    Everything that QEMU is told; @boot is the directory of this boot, @work that of this process, @words go on the kernel's
    command line.
    """
    append = [CONSOLE, *clock(kernel, scenario), kernel.fragment.get("append"), scenario.get("append"), words]
    return [require("qemu-system-x86_64"), "-M", MACHINES[scenario.get("machine")], *machine(kernel, scenario), "-nodefaults",
            "-display", "none", "-no-reboot", "-m", str(scenario.mem(kernel)), *nodes(kernel, scenario),
            "-kernel", str(kernel.image), "-initrd", str(boot / "initramfs"), "-append", " ".join(append),
            "-serial", f"file:{work}/console",
            "-chardev", "stdio,id=ktap,signal=off", "-device", "isa-serial,index=1,chardev=ktap",
            "-qmp", f"unix:{work}/qmp,server=on,wait=off",
            *balloon(scenario), *disk(scenario, boot), *shlex.split(scenario.get("qemu-options")), *trace(scenario, work)]


def machine(kernel, scenario):
    if scenario.number("icount"):
        return ["-accel", "tcg,thread=single", "-cpu", "max", "-smp", "1", "-icount", "shift=0,sleep=off",
                "-seed", "1", "-rtc", "base=2024-01-01T00:00:00,clock=vm", "-S"]
    stopped = ["-S"] if scenario.get("target") else []
    return [*accelerator(kernel), "-smp", f"{scenario.smp(kernel)},sockets={scenario.number('nodes')}", *stopped]


def clock(kernel, scenario):
    """
    How fast the processor counts: on microvm the kernel has only the PIT to find out by, fails when the host is busy,
    and then waits for ever for its first tick. Under emulation the counter is the host's.
    """
    if scenario.get("machine") != "microvm" or "kvm" in accelerator(kernel):
        return []
    mhz = re.search(r"^cpu MHz\s*: ([\d.]+)", Path("/proc/cpuinfo").read_text(encoding="ascii"), re.M)
    return [f"tsc_early_khz={int(float(mhz[1]) * 1000)}", "tsc=reliable"] if mhz else []


def nodes(kernel, scenario):
    """Memory and processors of each NUMA node; nothing if there is one."""
    count, mem, smp = scenario.number("nodes"), scenario.mem(kernel), scenario.smp(kernel)
    if count == 1:
        return []
    argv = []
    for node in range(count):
        argv += ["-object", f"memory-backend-ram,id=ram{node},size={mem // count}M",
                 "-numa", f"node,memdev=ram{node},cpus={node * smp // count}-{(node + 1) * smp // count - 1}"]
    return argv


def device(scenario):
    """The balloon as -device and device_add know it."""
    options = {"driver": TRANSPORTS[scenario.get("machine")], "id": "balloon0"}
    if scenario.number("hotplug"):
        options["bus"] = "port0"
    pairs = (pair.split("=", 1) for pair in scenario.get("balloon-options").split(",") if pair)
    options.update((key, typed(key, value)) for key, value in pairs)
    return options


def typed(key, value):
    """JSON wants a switch to be a boolean and a number a number; a switch that knows "auto" too is a string."""
    if value in ("on", "off") and key != "disable-legacy":
        return value == "on"
    return int(value) if value.isdigit() else value


def balloon(scenario):
    port = ["-device", "pcie-root-port,id=port0,slot=1"] if scenario.number("hotplug") else []
    if not scenario.number("balloons"):
        return port
    return [*port, "-device", json.dumps(device(scenario))]


def disk(scenario, boot):
    """One disk, which all QEMUs of a boot have in turn."""
    if not scenario.number("disk"):
        return []
    with open(boot / "disk", "ab") as file:
        file.truncate(scenario.number("disk") << 20)
    return ["-blockdev", f"driver=file,node-name=disk,filename={boot}/disk", "-device", "virtio-blk-pci,drive=disk"]


def trace(scenario, work):
    """Trace by the log backend, which writes each record out at once."""
    events = work / "events"
    events.write_text("\n".join([*EVENTS, *scenario.get("trace").split()]) + "\n")
    return ["-trace", f"events={events},file={work}/trace"]


def accelerator(kernel):
    """KVM if it can run this guest, else emulation; /dev/kvm alone proves nothing. The verdict is kept in build/."""
    verdict = BUILD / "accelerator"
    if not verdict.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        verdict.write_text("kvm\n" if kvm_works(kernel) else "tcg\n")
    if verdict.read_text().strip() == "kvm":
        return ["-accel", "kvm", "-cpu", "host"]
    # Emulated, memory is cleared bytewise with ERMS and by eight bytes without; 6.1 does not boot with FSRM, which QEMU 10
    # has, and without ERMS. CMPXCHG16B of QEMU 7.2 can leave a part
    # of a pointer in EFLAGS (it takes CC_OP for stored, target/i386/tcg/translate.c): then interrupts and traps come where
    # the kernel had them off.
    return ["-accel", "tcg,thread=multi", "-cpu", "max,-erms,-fsrm,-cx16"]


def kvm_works(kernel):
    """Boot without a root: a working guest panics about that at once, which ends QEMU."""
    argv = [require("qemu-system-x86_64"), "-M", "q35", "-accel", "kvm", "-cpu", "host", "-smp", "2", "-m", "256",
            "-nodefaults", "-display", "none", "-no-reboot", "-kernel", str(kernel.image),
            "-append", CONSOLE, "-serial", "stdio"]
    with tempfile.TemporaryFile() as console, subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=console,
                                                               stderr=subprocess.DEVNULL) as process:
        own = OwnTime(process.pid)
        while process.poll() is None and own.seconds() < KVM_TRIAL_SECONDS:
            time.sleep(0.05)
        process.kill()
        console.seek(0)
        return process.wait() == 0 and b"Kernel panic" in console.read()


class Qemu:
    """A context: the process exists inside it and not afterwards."""

    def __init__(self, argv, work):
        self.argv, self.work = argv, work
        self.process = self.control = self.own = None

    def __enter__(self):
        with open(self.work / "qemu.err", "wb") as errors, running_lock:
            if interrupted.is_set():
                raise HarnessError("interrupted")
            # pylint: disable=consider-using-with
            self.process = subprocess.Popen([require("setpriv"), "--pdeathsig", "KILL", "--", *self.argv],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
            running.add(self.process)
        self.own = OwnTime(self.process.pid, int(self.argv[self.argv.index("-smp") + 1].split(",")[0]))
        try:
            self.control = Qmp(self.connect(), self.own)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.control:
            self.control.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        with running_lock:
            running.discard(self.process)

    def connect(self):
        """QEMU creates the socket some time after it started; if it ends instead, it said why."""
        while self.own.seconds() < START_SECONDS and self.process.poll() is None:
            client = socket.socket(socket.AF_UNIX)
            try:
                client.connect(str(self.work / "qmp"))
                return client
            except OSError:
                client.close()
                time.sleep(0.02)
        raise HarnessError(f"qemu did not start: {self.error_text() or self.process.poll()}")

    def runs(self):
        return (self.control.command("query-status") or {}).get("running", False)

    def migration(self):
        return self.control.command("query-migrate") or {}

    def unsent_pages(self):
        """
        Pages that a migration has taken off its list without sending them, because the guest has hinted that they are free.
        0 after the first round, for no page can be told that is on the list again because it was written.
        """
        if "ram" not in (status := self.migration()) or status["ram"]["dirty-sync-count"] != 1:
            return 0
        ram = status["ram"]
        return (ram["total"] - ram["remaining"]) // ram["page-size"] - ram["normal"] - ram["duplicate"]

    def resident_pages(self):
        """What the host has given to the guest so far and to QEMU itself: pages of 4 KiB that are no file's."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return sum(map(int, re.findall(r"Rss(?:Anon|Shmem):\s*(\d+) kB", status))) // 4

    def error_text(self):
        text = (self.work / "qemu.err").read_text(errors="replace").strip()
        return " ".join(text.split())


class Qmp:
    """QEMU's control protocol: commands with their answers; events are kept for later."""

    def __init__(self, client, own):
        self.client, self.own = client, own
        self.rest = b""             # of a line that is not complete
        self.events = []
        self.receive()
        self.command("qmp_capabilities")

    def line(self, seconds):
        """The next line: empty when QEMU has gone, None when nothing came in so many seconds of its own time."""
        limit = self.own.seconds() + seconds
        while b"\n" not in self.rest:
            if select.select([self.client], [], [], 1)[0]:
                if not (data := self.client.recv(65536)):
                    return b""
                self.rest += data
            elif self.own.seconds() > limit:
                return None
        line, self.rest = self.rest.split(b"\n", 1)
        return line

    def command(self, name, **arguments):
        """Returns the answer; a refusal is a HarnessError, except that a guest that is gone is nobody's error."""
        try:
            self.client.sendall(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
            while message := self.receive():
                if "error" in message:
                    raise HarnessError(f"qemu refuses {name}: {message['error']['desc']}")
                if "return" in message:
                    return message["return"]
        except OSError:
            pass
        return None

    def property(self, name):
        """Of the balloon device."""
        return self.command("qom-get", path=DEVICE_PATH, property=name)

    def set_property(self, name, value):
        self.command("qom-set", path=DEVICE_PATH, property=name, value=value)

    def event(self, name, seconds, **data):
        """Wait for an event, with @data, that has not been waited for yet; says whether it came."""
        def wanted(event):
            return event["event"] == name and data.items() <= event.get("data", {}).items()
        try:
            while not any(map(wanted, self.events)):
                if not (line := self.line(seconds)):
                    return False
                self.events.append(json.loads(line))
        except OSError:
            return False
        self.events = [event for event in self.events if not wanted(event)]
        return True

    def balloon_mib(self, mem):
        """The balloon's size as the guest has reported it."""
        return mem - ((self.command("query-balloon") or {}).get("actual", 0) >> 20)

    def ram_address(self):
        """Where QEMU has the guest's first byte: traces of discards name addresses of QEMU's own."""
        text = self.command("human-monitor-command", **{"command-line": "gpa2hva 0x100000"})
        match = re.search(r"is 0x([0-9a-f]+)", text or "")
        return int(match[1], 16) - 0x100000 if match else 0

    def receive(self):
        """The next message that is no event; None when QEMU has gone."""
        while line := self.line(QMP_SECONDS):
            message = json.loads(line)
            if "event" not in message:
                return message
            self.events.append(message)
        if line is None:
            raise HarnessError(f"qemu does not answer for {QMP_SECONDS} s")
        return None

    def shutdown_reason(self):
        """Why the guest stopped, once it did: read what is left and look for the event."""
        try:
            self.receive()
        except OSError:
            pass
        return next((e["data"].get("reason") for e in self.events if e["event"] == "SHUTDOWN"), None)

    def close(self):
        self.client.close()
