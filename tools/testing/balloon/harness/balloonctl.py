# SPDX-License-Identifier: GPL-2.0
"""
balloonctl, built with sanitizers, on fake trees of /sys and /proc.

	cd tools/testing/balloon && python3 -m unittest harness.balloonctl

Each NAME.tree of ../balloonctl has a NAME.session: commands, what they must say
("| "), errors ("! ") and exit codes ("= "). With UPDATE=1 in the environment the
sessions are written anew, to be read before they are committed. What no fixed text can show is tested below.
"""
import difflib
import fcntl
import json
import os
import pty
import re
import resource
import shlex
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import threading
import unittest
from pathlib import Path
from xml.etree import ElementTree

from . import systree
from .common import BUILD, ROOT, TESTS

TREES = TESTS / "balloonctl"
TOOL = ROOT / "tools/balloon"
OUT = BUILD / "balloonctl-sanitized"
SANITIZE = "-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"
CLOCK = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\b\d\d:\d\d:\d\d\b")


def setUpModule():
    done = subprocess.run(["make", "-s", "-C", TOOL, f"O={OUT}", f"CFLAGS={SANITIZE}", "VERSION=test", "all"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise AssertionError(done.stdout)


def environment(**more):
    """What decides over the output, and nothing else of the caller's. Leaks are looked for in one test: that takes its time."""
    return {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC", "ASAN_OPTIONS": "exitcode=99:detect_leaks=0",
            "UBSAN_OPTIONS": "exitcode=99", **more}


class Tree:
    """A tree for one test."""

    def __init__(self, test, name):
        keep = tempfile.TemporaryDirectory()        # pylint: disable=consider-using-with
        test.addCleanup(keep.cleanup)
        self.directory = Path(keep.name)
        # A user without rights looks at it, too.
        self.directory.chmod(0o755)
        if name:
            systree.make((TREES / f"{name}.tree").read_text(encoding="latin-1"), self.directory, TREES)

    def __truediv__(self, path):
        return self.directory / path

    def command(self, *words):
        return [OUT / "balloonctl", "--sysroot", self.directory, *words]

    def run(self, *words, **options):
        env = environment(**options.pop("env", {}))
        return subprocess.run(self.command(*words), capture_output=True, text=True, check=False, env=env, timeout=120, **options)


def transcript(tree, line):
    """The lines of a session for a command: what it says, indented; errors; its exit code."""
    words = shlex.split(line)
    more = dict(word.split("=", 1) for word in words[:words.index("balloonctl")])
    done = tree.run(*words[words.index("balloonctl") + 1:], env=more)
    if "-J" in words and done.returncode == 0:
        parts = done.stdout.splitlines() if "watch" in words else [done.stdout]
        assert all(json.loads(part) for part in parts)
    text = CLOCK.sub("CLOCK", done.stdout)
    if "-n" in words:   # the headings that are not shown have a width in Debian 12, none in Debian 13
        text = re.sub("(?m)^ +", "", re.sub(" +", " ", text))
    out = [f"| {line}".rstrip() for line in text.splitlines()]
    errors = [f"! {text}" for text in done.stderr.replace(str(tree.directory), "").splitlines()]
    return [f"$ {line}", *out, *errors, f"= {done.returncode}"]


class Sessions(unittest.TestCase):
    def replay(self, name):
        session = TREES / f"{name}.session"
        wanted = session.read_text(encoding="ascii").splitlines()
        tree = Tree(self, name)
        found = []
        for line in wanted:
            if line.startswith("#") or not line:
                found.append(line)
            elif line.startswith("$ "):
                found += transcript(tree, line[2:])
        if os.environ.get("UPDATE"):
            session.write_text("".join(f"{line}\n" for line in found), encoding="ascii")
        elif found != wanted:
            self.fail("\n".join(list(difflib.unified_diff(wanted, found, lineterm="", n=1))[2:20]))


def add_sessions():
    for session in sorted(TREES.glob("*.session")):
        def test(self, name=session.stem):
            self.replay(name)
        setattr(Sessions, f"test_{session.stem}", test)


add_sessions()

class Files(unittest.TestCase):
    """What metrics, diagnose and map write to files."""

    def setUp(self):
        self.tree = Tree(self, "new")
        self.folder = self.tree / "out"
        self.folder.mkdir()
        self.file = self.folder / "balloon.prom"

    def check_run(self, code, *words, **options):
        done = self.tree.run(*words, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def test_metrics_replace_the_file(self):
        wanted = self.check_run(0, "metrics").stdout
        self.file.write_text("old")
        os.link(self.file, self.folder / "reader")
        self.check_run(0, "metrics", "--output", self.file, umask=0o022)
        self.assertEqual(self.file.read_text(), wanted)
        self.assertEqual((self.folder / "reader").read_text(), "old")
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o644)
        self.assertEqual(sorted(os.listdir(self.folder)), ["balloon.prom", "reader"])

    def test_metrics_are_in_the_format(self):
        for name in ("new", "two", "stock", "garbage", "none"):
            kinds, samples, last = {}, [], None
            for line in Tree(self, name).run("metrics").stdout.splitlines():
                if line.startswith("#"):
                    word, metric, text = re.fullmatch(r"# (HELP|TYPE) ([a-z_]+) (.+)", line).groups()
                    if word == "TYPE":
                        self.assertNotIn(metric, kinds)
                        kinds[metric], last = text, metric
                    continue
                sample, metric = re.fullmatch(r'(([a-z_]+)(?:\{[a-z]+="(?:[^"\\]|\\["\\])*"(?:,[a-z]+="(?:[^"\\]|\\["\\])*")*\})?) [\d.]+',
                                              line).groups()
                self.assertEqual(metric, last)
                self.assertEqual(kinds[metric] == "counter", metric.endswith("_total"))
                samples.append(sample)
            self.assertTrue(samples)
            self.assertEqual(len(samples), len(set(samples)))

    def test_link_is_followed_and_stays(self):
        link = self.folder / "link.prom"
        link.symlink_to("balloon.prom")
        self.file.write_text("old")
        self.check_run(0, "metrics", "-o", link)
        self.assertTrue(link.is_symlink())
        self.assertIn("balloon_devices 1", self.file.read_text())

    def keeps_the_old_one(self, done):
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("balloon.prom: ", done.stderr)
        self.assertEqual(self.file.read_text(), "old")
        self.assertEqual(os.listdir(self.folder), ["balloon.prom"])

    def test_file_that_may_not_grow(self):
        self.file.write_text("old")

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        self.keeps_the_old_one(self.tree.run("metrics", "-o", self.file, preexec_fn=limit, restore_signals=False))

    def test_full_disk(self):
        shell = 'mount -t tmpfs -o size=8k none "$1" && printf old >"$1/balloon.prom" && dd if=/dev/zero of="$1/fill" bs=4096 2>/dev/null; ' \
                'shift; "$@"; code=$?; cat "$0"; ls "${0%/*}"; exit $code'
        words = ["unshare", "-rm", "sh", "-c", shell, self.file, self.folder, *self.tree.command("metrics", "-o", self.file)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment())
        if "unshare" in done.stderr or "mount" in done.stderr:
            self.skipTest("this user may not mount")
        self.assertEqual((done.returncode, done.stdout), (1, "oldballoon.prom\nfill\n"), done.stderr)
        self.assertIn("No space left on device", done.stderr)

    def test_no_such_folder(self):
        done = self.check_run(1, "metrics", "-o", self.folder / "none" / "balloon.prom")
        self.assertIn("No such file or directory", done.stderr)

    def test_device_is_written_to(self):
        done = self.check_run(1, "metrics", "-o", "/dev/full")
        self.assertIn("/dev/full: No space left on device", done.stderr)
        self.assertEqual(self.check_run(0, "metrics", "-o", "/dev/stdout").stdout, self.check_run(0, "metrics").stdout)

    def test_full_standard_output(self):
        for words in (["list"], ["show"], ["map"], ["metrics"], ["diagnose"], ["watch", "-c", "1"], ["--help"], ["compact"]):
            with open("/dev/full", "w", encoding="ascii") as full:
                done = subprocess.run(self.tree.command(*words), stdout=full, stderr=subprocess.PIPE, text=True, check=False,
                                      env=environment())
            self.assertEqual(done.returncode, 1, words)
            self.assertIn("standard output: No space left on device", done.stderr)

    def test_report_is_a_tree(self):
        report = self.folder / "report.txt"
        self.check_run(0, "diagnose", "-o", report)
        copy = Tree(self, None)
        systree.make(report.read_text(encoding="ascii"), copy.directory)
        for words in (["list", "-J", "-o", "+kind,features,version"], ["show"], ["metrics"]):
            self.assertEqual(copy.run(*words).stdout, self.tree.run(*words).stdout)

    def test_report_keeps_secrets(self):
        text = self.check_run(0, "diagnose").stdout
        for secret in ("hunter2", "0d8", str(self.tree.directory)):
            self.assertNotIn(secret, text)
        self.assertNotRegex(text, rf"(?<![\w/]){re.escape(os.uname().nodename)}(?![\w/])")
        self.assertIn("balloon_compaction.floor_pages=4096", text)

    def test_map_as_a_drawing_and_as_a_page(self):
        for tree in ("new", "numa", "garbage"):
            drawing, page = self.folder / "map.svg", self.folder / "map.html"
            other = Tree(self, tree)
            for file in (drawing, page):
                self.assertEqual(other.run("map", "-o", file).returncode, 0)
            cells = ElementTree.parse(drawing).getroot().iter("{http://www.w3.org/2000/svg}title")
            blocks = {}
            for cell in cells:
                kind, number = re.fullmatch(r"(.*), (\d+) blocks from 0x[0-9a-f]+", cell.text).groups()
                blocks[kind] = blocks.get(kind, 0) + int(number)
            zones = json.loads(other.run("map", "-J").stdout)["zones"]
            for kind, column in (("free", "free"), ("balloon", "balloon"), ("balloon and others", "shared_with_others")):
                self.assertEqual(blocks.get(kind, 0), sum(zone[column] for zone in zones), (tree, kind))
            self.assertIn(drawing.read_text(), page.read_text())
        self.assertIn("&lt;DMA32&gt;", page.read_text())
        self.assertNotIn("<DMA32>", page.read_text())


class Leaks(unittest.TestCase):
    def test_no_command_leaks(self):
        for name in ("two", "garbage", "stock", "no_driver"):
            tree = Tree(self, name)
            for words in (["list"], ["list", "-J"], ["list", "none"], ["show"], ["map"], ["map", "-o", tree / "map.svg"],
                          ["compact"], ["compact", "--dry-run", "balloon0"], ["watch", "-c", "1"], ["metrics"], ["diagnose"]):
                done = tree.run(*words, env={"ASAN_OPTIONS": "exitcode=99"})
                self.assertNotEqual(done.returncode, 99, f"{name} {words}: {done.stderr}")


class Rights(unittest.TestCase):
    """A user without rights, who is nobody when the tests run as root."""

    def run_without(self, tree, forbidden, *words):
        for path in forbidden:
            (tree / path).chmod(0)
        program = tree / "balloonctl"
        shutil.copy(OUT / "balloonctl", program)
        who = {"user": 65534, "group": 65534, "extra_groups": []} if not os.geteuid() else {}
        return subprocess.run([program, "--sysroot", tree.directory, *words], capture_output=True, text=True, check=False,
                              env=environment(), cwd="/", **who)

    def test_map(self):
        for name, code, text in (("old", 4, ""), ("new", 0, "0 DMA32 3372 4 5 2")):
            done = self.run_without(Tree(self, name), ["proc/kpageflags"], "map")
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(text, done.stdout)
            self.assertIn("root", done.stderr)

    def test_compact(self):
        done = self.run_without(Tree(self, "new"), ["sys/class/balloon/balloon0/compact"], "compact")
        self.assertEqual(done.returncode, 4)
        self.assertIn("compact: Permission denied: try it as root", done.stderr)

    def test_compact_dry_run(self):
        for name, code, text in (("old", 4, ""), ("new", 0, "at most 5 blocks of 2 MiB (10M), by the kernel's count")):
            done = self.run_without(Tree(self, name), ["proc/kpageflags"], "compact", "--dry-run")
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(text, done.stdout)

    def test_one_file(self):
        done = self.run_without(Tree(self, "new"), ["sys/class/balloon/balloon0/state"], "list")
        self.assertEqual(done.returncode, 4)
        self.assertIn("balloon0 virtio_balloon ?  ", done.stdout)

    def test_report(self):
        done = self.run_without(Tree(self, "new"), ["sys/class/balloon/balloon0/version", "proc/kpageflags"], "diagnose")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("# map: Permission denied", done.stdout)
        self.assertNotIn("balloon0/version\n0.2.0", done.stdout)


class Terminal:
    """A terminal on which the tool runs, as a shell would run it."""

    def __init__(self, test, command, columns=80, **more):
        self.master, slave = pty.openpty()
        test.addCleanup(os.close, self.master)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        env = environment(TERM="xterm", **more)
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env,     # pylint: disable=consider-using-with
                                        preexec_fn=own_terminal)
        os.close(slave)
        test.addCleanup(self.process.wait)
        self.text = ""

    def read(self, until=None):
        """All of it, or until a text comes."""
        while until is None or until not in self.text:
            try:
                got = os.read(self.master, 65536)
            except OSError:     # all others have closed it
                got = b""
            if not got:
                break
            self.text += got.decode("ascii").replace("\r\n", "\n")
        return self.text

    def type(self, text):
        os.write(self.master, text)


class Terminals(unittest.TestCase):
    def test_color_only_there(self):
        tree = Tree(self, "new")
        self.assertIn("\033[32mrunning", Terminal(self, tree.command("list")).read())
        self.assertNotIn("\033", Terminal(self, tree.command("list"), NO_COLOR="1").read())
        self.assertNotIn("\033", Terminal(self, tree.command("--color=never", "list")).read())

    def test_forty_columns(self):
        tree = Tree(self, "new")
        for words in (["list"], ["map"], ["show"], ["watch", "-c1"]):
            text = Terminal(self, tree.command(*words), columns=40).read()
            self.assertIn("balloon", text)
            wide = [line for line in re.sub(r"\033\[\d*m", "", text).splitlines()
                    if len(line) > 40 and not line.startswith(("balloonctl: ", "features ", "limited_by "))]
            self.assertEqual(wide, [], words)

    def test_compact_shows_progress_and_ends_at_an_interrupt(self):
        tree = Tree(self, "new")
        (tree / "sys/class/balloon/balloon0/compact").unlink()
        os.mkfifo(tree / "sys/class/balloon/balloon0/compact")
        terminal = Terminal(self, tree.command("compact"))
        terminal.read(until="0 pages exchanged")
        (tree / "sys/class/balloon/balloon0/stats/exchanged").write_text("2000\n")
        terminal.read(until="766 pages exchanged")
        terminal.type(b"\x03")
        self.assertIn("balloon0: 766 pages exchanged, 5 free blocks before, 5 now\n"
                      "balloonctl: balloon0: interrupted; what was done until then stays", terminal.read())
        self.assertEqual(terminal.process.wait(), 130)

    def test_compact_ends_with_its_write(self):
        tree = Tree(self, "new")
        fifo = tree / "sys/class/balloon/balloon0/compact"
        fifo.unlink()
        os.mkfifo(fifo)
        terminal = Terminal(self, tree.command("compact"))
        terminal.read(until="0 pages exchanged")
        (tree / "sys/class/balloon/balloon0/last_compact/cause").write_text("asked\n")
        (tree / "sys/class/balloon/balloon0/last_compact/ended_by").write_text("memory\n")
        self.assertEqual(fifo.read_text(), "1\n")
        self.assertIn("balloon0: 0 pages exchanged, 3 blocks of 2 MiB won, 5 free blocks before, 5 now; "
                      "it ended because the guest has no more memory above the floor\n", terminal.read())
        self.assertEqual(terminal.process.wait(), 0)


class Changes(unittest.TestCase):
    """What changes while it is looked at."""

    def leave(self, tree, *words):
        """The balloon leaves while its first file is read."""
        folder = tree / "sys/class/balloon/balloon0"
        (folder / "driver").unlink()
        os.mkfifo(folder / "driver")
        with subprocess.Popen(tree.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=environment()) as process:
            with open(folder / "driver", "w", encoding="ascii") as fifo:
                shutil.rmtree(folder)
                fifo.write("virtio_balloon\n")
            return (*process.communicate(), process.returncode)

    def test_balloon_leaves(self):
        out, err, code = self.leave(Tree(self, "new"), "list")
        self.assertEqual((out, code), ("", 3))
        self.assertIn("balloon0 has gone while it was read", err)

    def test_one_of_two_leaves(self):
        out, err, code = self.leave(Tree(self, "two"), "list", "-n", "-o", "driver,size,name")
        self.assertEqual((out.split(), code), (["null_balloon", "1M", "balloon1"], 0))
        self.assertIn("balloon0 has gone while it was read", err)

    def test_balloon_leaves_while_it_is_watched(self):
        out, err, code = self.leave(Tree(self, "new"), "watch", "-i", "0.01", "-o", "driver")
        self.assertEqual((out, code), ("TIME     DRIVER\n", 3))
        self.assertIn("balloon0 has gone", err)

    def test_host_fails(self):
        tree = Tree(self, "new")
        (tree / "sys/class/balloon/balloon0/compact").unlink()
        # A write to the first page of one's own memory is an input/output error.
        (tree / "sys/class/balloon/balloon0/compact").symlink_to("/proc/self/mem")
        done = tree.run("compact")
        self.assertEqual(done.returncode, 1)
        self.assertIn("the host has failed or does not answer", done.stderr)

    def test_balloons_come_and_go(self):
        tree = Tree(self, "two")
        folder, aside = tree / "sys/class/balloon/balloon0", tree / "aside"
        done = threading.Event()

        def churn():
            while not done.is_set():
                folder.rename(aside)
                aside.rename(folder)
        thread = threading.Thread(target=churn)
        thread.start()
        try:
            for words in (["list"], ["show"], ["metrics"], ["diagnose"], ["watch", "-c", "1"]) * 4:
                found = tree.run(*words)
                self.assertIn(found.returncode, (0, 3), found.stderr)
        finally:
            done.set()
            thread.join()


class Documents(unittest.TestCase):
    """The man page, the completion and --help know of the same."""

    def setUp(self):
        self.manual = (TOOL / "balloonctl.rst").read_text(encoding="ascii")
        self.tree = Tree(self, "none")

    def lists(self, *words, section):
        text = self.tree.run(*words, "--help").stdout
        part = text.split(f"{section}:\n")[1].split("\n\n")[0]
        return [line.split()[0] for line in part.splitlines()]

    def test_manual_has_commands_columns_and_options(self):
        commands = self.lists(section="Commands")
        self.assertEqual(len(commands), 7)
        for command in commands:
            self.assertIn(f"**balloonctl {command}**", self.manual)
            self.assertIn(f"\n{command}\n  ", self.manual)
            for option in re.findall(r"--[a-z-]+", self.tree.run(command, "--help").stdout):
                self.assertIn(option, self.manual)
        for column in self.lists("list", section="Columns"):
            self.assertRegex(self.manual, rf"\n(.*, )?{column}(, .*)?\n  ")

    def test_manual_has_exit_codes(self):
        codes = re.findall(r"EXIT_\w+ = (\d+)", (TOOL / "message.h").read_text(encoding="ascii"))
        self.assertEqual(len(codes), 7)
        part = self.manual.split("EXIT STATUS")[1].split("FILES")[0]
        self.assertEqual(re.findall(r"^(\d+)\n  ", part, re.M), codes)
        for code in codes:
            self.assertRegex(self.tree.run("--help").stdout.split("Exit codes:")[1], rf"\b{code} ")

    def complete(self, line):
        script = """
            . /usr/share/bash-completion/bash_completion
            . "$0/balloonctl.bash"
            PATH=$1:$PATH COMP_LINE=$2 COMP_POINT=${#2}
            eval "COMP_WORDS=($2)"
            [ "${2% }" = "$2" ] || COMP_WORDS+=("")
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            compopt() { :; }
            _balloonctl
            printf '%s\\n' "${COMPREPLY[@]}"
        """
        done = subprocess.run(["bash", "-c", script, TOOL, OUT, line], capture_output=True, text=True, check=True,
                              env=environment())
        return done.stdout.split()

    @unittest.skipUnless(Path("/usr/share/bash-completion/bash_completion").exists(), "bash-completion is missing")
    def test_completion(self):
        self.assertEqual(self.complete("balloonctl "), self.lists(section="Commands"))
        self.assertEqual(self.complete("balloonctl ma"), ["map"])
        self.assertEqual(self.complete("balloonctl compact --d"), ["--dry-run"])
        self.assertEqual(self.complete("balloonctl --color=ne"), ["never"])
        self.assertEqual(self.complete("balloonctl show -o name,shared"), ["name,shared_with_free", "name,shared_with_others"])
        self.assertEqual(self.complete("balloonctl list -o "), self.lists("list", section="Columns"))

    def test_install(self):
        root = self.tree / "root"
        done = subprocess.run(["make", "-s", "-C", TOOL, f"O={OUT}", f"CFLAGS={SANITIZE}", "VERSION=test", "install",
                               f"DESTDIR={root}", "PREFIX=/usr"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
        self.assertEqual(found, ["usr/lib/systemd/system/balloonctl-metrics.service",
                                 "usr/lib/systemd/system/balloonctl-metrics.timer", "usr/sbin/balloonctl",
                                 "usr/share/bash-completion/completions/balloonctl", "usr/share/man/man8/balloonctl.8"])
        self.assertIn("\nExecStart=/usr/sbin/balloonctl metrics", (root / found[0]).read_text())


if __name__ == "__main__":
    unittest.main()
