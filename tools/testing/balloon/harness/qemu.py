# SPDX-License-Identifier: GPL-2.0
"""
One QEMU process: its command line, its control socket, and the certainty that it ends.

The guest's console goes to a file, its second serial port to our standard output pipe, QEMU's trace to a file.
The kernel kills the process when we die (setpriv --pdeathsig), kill_all() does when we are interrupted.
"""
import json
import re
import shlex
import socket
import subprocess
import threading
import time
from pathlib import Path

from .common import BUILD, HarnessError, require

EVENTS = ("virtio_queue_notify", "virtio_balloon_handle_output", "ram_block_discard_range", "pci_cfg_write",
          "virtio_set_status")
KVM_TRIAL_SECONDS = 5
DEVICE_PATH = "/machine/peripheral/balloon0"
# microvm needs ACPI to power off, and its PCI host bridge is only there for the ledger's marks.
MACHINES = {"q35": "q35", "microvm": "microvm,acpi=on,pcie=on"}
TRANSPORTS = {"q35": "virtio-balloon-pci", "microvm": "virtio-balloon-device"}
QMP_SECONDS = 10
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
    # Emulated, memory is cleared bytewise with ERMS and by eight bytes without. CMPXCHG16B of QEMU 7.2 can leave a part
    # of a pointer in EFLAGS (it takes CC_OP for stored, target/i386/tcg/translate.c): then interrupts and traps come where
    # the kernel had them off.
    return ["-accel", "tcg,thread=multi", "-cpu", "max,-erms,-cx16"]


def kvm_works(kernel):
    """Boot without a root: a working guest panics about that at once, which ends QEMU."""
    argv = [require("qemu-system-x86_64"), "-M", "q35", "-accel", "kvm", "-cpu", "host", "-smp", "2", "-m", "256",
            "-nodefaults", "-display", "none", "-no-reboot", "-kernel", str(kernel.image),
            "-append", CONSOLE, "-serial", "stdio"]
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              timeout=KVM_TRIAL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and b"Kernel panic" in done.stdout


class Qemu:
    """A context: the process exists inside it and not afterwards."""

    def __init__(self, argv, work):
        self.argv, self.work = argv, work
        self.process = self.control = None

    def __enter__(self):
        with open(self.work / "qemu.err", "wb") as errors, running_lock:
            if interrupted.is_set():
                raise HarnessError("interrupted")
            # pylint: disable=consider-using-with
            self.process = subprocess.Popen([require("setpriv"), "--pdeathsig", "KILL", "--", *self.argv],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
            running.add(self.process)
        try:
            self.control = Qmp(self.connect())
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
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.process.poll() is None:
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

    def error_text(self):
        text = (self.work / "qemu.err").read_text(errors="replace").strip()
        return " ".join(text.split())


class Qmp:
    """QEMU's control protocol: commands with their answers; events are kept for later."""

    def __init__(self, client):
        client.settimeout(QMP_SECONDS)
        self.client = client
        self.file = client.makefile("rwb", buffering=0)
        self.events = []
        self.receive()
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        """Returns the answer; a refusal is a HarnessError, except that a guest that is gone is nobody's error."""
        try:
            self.file.write(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
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
        self.client.settimeout(seconds)
        try:
            while not any(map(wanted, self.events)):
                if not (line := self.file.readline()):
                    return False
                self.events.append(json.loads(line))
        except OSError:
            return False
        finally:
            self.client.settimeout(QMP_SECONDS)
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
        while line := self.file.readline():
            message = json.loads(line)
            if "event" not in message:
                return message
            self.events.append(message)
        return None

    def shutdown_reason(self):
        """Why the guest stopped, once it did: read what is left and look for the event."""
        try:
            self.receive()
        except OSError:
            pass
        return next((e["data"].get("reason") for e in self.events if e["event"] == "SHUTDOWN"), None)

    def close(self):
        self.file.close()
        self.client.close()
