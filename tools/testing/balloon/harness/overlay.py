# SPDX-License-Identifier: GPL-2.0
"""
scripts/overlay, on trees that have only the files which it reads, copied from the kernels' sources.

	cd tools/testing/balloon && python3 -m unittest harness.overlay

The trees are hard links to one copy, as cp -al makes them; that copy is compared in the end, too.
"""
import fcntl
import os
import re
import runpy
import shutil
import stat
import subprocess
import sys
import tempfile
import traceback
import unittest
from pathlib import Path

from .common import CACHE, ROOT

SCRIPT = ROOT / "scripts/overlay"
STORE = ".balloon-overlay"

# What the overlay reads of a kernel, and a few that it has no business with.
KERNEL_FILES = """
    COPYING Kbuild MAINTAINERS Makefile
    Documentation/core-api/mm-api.rst Documentation/mm/index.rst
    drivers/misc/Kconfig drivers/misc/Makefile drivers/misc/vmw_balloon.c
    drivers/virtio/Makefile drivers/virtio/virtio.c drivers/virtio/virtio_balloon.c
    include/linux/gfp.h include/linux/hrtimer.h include/linux/migrate.h include/linux/mmzone.h
    include/linux/page_reporting.h include/linux/workqueue.h
    include/linux/virtio_config.h
    include/linux/shrinker.h include/linux/vm_event_item.h include/uapi/linux/virtio_balloon.h
    mm/Kconfig mm/Makefile mm/vmstat.c
""".split()

# What the script is made of, for a copy that is of another version.
OUR_FILES = ["Kbuild", "MAINTAINERS", "scripts/overlay", "mm", "include", "drivers", "compat-include", "Documentation",
             "tools/testing/balloon/kunit"]

# The script is killed at its Nth change of a directory. All else that it writes is in a store that is not in place
# yet, or goes to temporary files.
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir"}
KILLED = 99


def snapshot(tree):
    """All there is in a tree: path -> (mode, contents). Git's own folder is git's."""
    found = {}
    for where, dirs, files in os.walk(tree):
        if ".git" in dirs:
            dirs.remove(".git")
        for name in dirs + files:
            path = Path(where) / name
            mode = path.lstat().st_mode
            content = os.readlink(path) if stat.S_ISLNK(mode) else path.read_bytes() if stat.S_ISREG(mode) else b""
            found[str(path.relative_to(tree))] = (mode, content)
    return found


def without_store(found):
    return {path: what for path, what in found.items() if path.split("/")[0] != STORE}


def only_files(found):
    return {path: what for path, what in found.items() if stat.S_ISREG(what[0]) and not path.startswith(STORE)}


def replace(path, content):
    """Change a file, not its links in other trees."""
    mode = stat.S_IMODE(path.stat().st_mode)
    path.unlink()
    path.write_bytes(content)
    path.chmod(mode)


def overlay(*argv, script=SCRIPT, prefix=(), dies_at=None):
    """
    Run the script; without a prefix in a fork of this process, which saves most of the time. With dies_at=N it is
    killed just before its Nth change, and then the status is KILLED.
    """
    if prefix:
        return subprocess.run([*prefix, script, *argv], capture_output=True, text=True, check=False)
    sys.stdout.flush()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            os._exit(script_status(script, argv, dies_at))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(argv, status, out.read().decode(), err.read().decode())


def script_status(script, argv, dies_at):
    left = [dies_at]

    def hook(event, _):
        if event in CHANGES:
            if not left[0]:
                os._exit(KILLED)
            left[0] -= 1

    if dies_at is not None:
        sys.addaudithook(hook)
    sys.argv = ["overlay", *map(str, argv)]
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as done:
        return done.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 70


def git(tree, *argv, **kwargs):
    who = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "gc.auto=0"]
    return subprocess.run(["git", *who, *argv], cwd=tree, capture_output=True, check=True, **kwargs).stdout


def privileges():
    """A prefix with which mount may be called, in a namespace of its own, or None."""
    for prefix in (["unshare", "-m"], ["unshare", "-rm"]):
        probe = [*prefix, "sh", "-c", "mount -t tmpfs none /mnt"]
        if shutil.which("unshare") and subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return prefix
    return None


class Overlay:
    """All cases, on a kernel of one series."""
    series = None
    replaced = ["mm/balloon_compaction.c", "include/linux/balloon_compaction.h", "drivers/virtio/virtio_balloon.c"]
    option = "CONFIG_MEMORY_BALLOON"
    core_object = b"+= balloon_compaction.o"
    migrate = (b"__SetPageMovable(", b"SetPageMovableOps(")
    kills = (0, 7)  # at which change first, at each how many after that

    @classmethod
    def setUpClass(cls):
        source = CACHE / f"source-{cls.series}"
        if not source.is_dir():
            raise unittest.SkipTest(f"no kernel source; scripts/fetch-source {cls.series} gets it")
        # Below build/, where links and renames stay on one file system.
        cls.work = tempfile.TemporaryDirectory(dir=CACHE.parent, prefix="overlay-")
        cls.dir = Path(cls.work.name)
        cls.pristine = cls.dir / "pristine"
        for path in {*KERNEL_FILES, *cls.replaced}:
            (cls.pristine / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / path, cls.pristine / path)
        # Modes are to be kept, whatever they are.
        (cls.pristine / "mm/vmstat.c").chmod(0o600)
        (cls.pristine / cls.replaced[0]).chmod(0o755)
        cls.before = snapshot(cls.pristine)
        cls.installed = cls.dir / "installed"
        shutil.copytree(cls.pristine, cls.installed, copy_function=os.link)
        overlay(cls.installed)
        cls.after = snapshot(cls.installed)

    @classmethod
    def tearDownClass(cls):
        cls.work.cleanup()

    def setUp(self):
        self.tree = self.dir / "tree"
        self.copy(self.pristine)

    def copy(self, source):
        shutil.rmtree(self.tree, ignore_errors=True)
        shutil.copytree(source, self.tree, copy_function=os.link, symlinks=True)

    def tearDown(self):
        shutil.rmtree(self.tree, ignore_errors=True)
        self.assertEqual(snapshot(self.pristine), self.before, "a file was written through a link")

    def does(self, *argv, says="", **kwargs):
        done = overlay(*argv, self.tree, **kwargs)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn(says, done.stdout)
        return done.stdout

    def refuses(self, *argv, says, **kwargs):
        """One line of error, and nothing happened."""
        before = snapshot(self.tree)
        done = overlay(*argv, self.tree, **kwargs)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stderr, r"\Aoverlay: [^\n]*\n\Z")
        self.assertIn(says, done.stderr)
        self.assertEqual(snapshot(self.tree), before, "the tree was changed")

    def is_pristine(self):
        self.assertEqual(snapshot(self.tree), self.before)

    # What it does

    def test_install_and_undo(self):
        self.does(says="files added")
        self.assertEqual(snapshot(self.tree), self.after)
        for path in self.replaced:
            self.assertNotEqual(self.after[path][1], self.before[path][1])
        self.assertEqual(stat.S_IMODE((self.tree / "mm/vmstat.c").stat().st_mode), 0o600)
        self.does("--undo", says="as it was")
        self.is_pristine()

    def test_what_is_installed(self):
        changed = {path for path in self.before if self.after[path] != self.before[path]}
        self.assertEqual(changed & {"COPYING", "Kbuild", "Makefile", "drivers/misc/vmw_balloon.c", "mm"}, set())
        for where, name in (("mm", Path(self.replaced[0]).stem), ("drivers/virtio", "virtio_balloon")):
            self.assertIn("+= balloon/\n", self.text(f"{where}/Makefile"))
            self.assertNotIn(f" {name}.o", self.text(f"{where}/Makefile"))
            makefile = self.text(f"{where}/balloon/Makefile")
            self.assertIn(f" ../{name}.o ", makefile)
            objects = set(re.findall(r"(?<=[ \t])\w+(?=\.o)", makefile)) - set(re.findall(r"\+= (\w+)\.o", makefile))
            self.assertEqual(objects, {path.stem for path in (ROOT / where / "balloon").glob("*.c")} - {"slot"})
        self.assertIn(f"obj-$({self.option}) += balloon/\n", self.text("mm/Makefile"))
        self.assertIn(f"obj-$({self.option}) += balloon_compaction.o\n", self.text("mm/balloon/Makefile"))
        self.assertIn(f"select {self.option.removeprefix('CONFIG_')}\n", self.text("drivers/misc/Kconfig.null_balloon"))
        enum = re.findall(r"\bCOMPACTBALLOON\w+", self.text("include/linux/vm_event_item.h"))
        text = re.findall(r'"(compact_balloon_\w+)",$', self.text("mm/vmstat.c"), re.M)
        self.assertEqual([name.lower() for name in enum], [name.replace("_", "") for name in text])
        self.assertEqual(len(enum), 4)
        for parent, path in (("drivers/misc/Kconfig", "drivers/misc/Kconfig.null_balloon"),
                             ("mm/Kconfig", "mm/balloon/Kconfig")):
            self.assertIn(f'source "{path}"\n', self.text(parent))
            self.assertIn("config ", self.text(path))
        order = ["BACKLIGHT CLASS/SUBSYSTEM", "BALLOON COMPACTION CORE", "BATMAN ADVANCED", "NULL BALLOON", "THE REST"]
        self.assertEqual([t for t in re.findall(r"(?<=\n\n)(\S.*)\n(?=\w:\t)", self.text("MAINTAINERS")) if t in order],
                         order)
        for path, makefile, (header, feature) in (
                ("mm/balloon/compat.h", "mm/balloon/Makefile", ("gfp.h", "alloc_pages_bulk_node(")),
                ("drivers/virtio/virtio_balloon_compat.h", "drivers/virtio/balloon/Makefile",
                 ("page_reporting.h", "PAGE_REPORTING_ORDER_UNSPECIFIED")),
                ("drivers/misc/null_balloon_compat.h", "drivers/misc/Makefile", ("hrtimer.h", "hrtimer_setup("))):
            compat = feature not in self.text(f"include/linux/{header}")
            self.assertEqual(path in self.after, compat)
            self.assertEqual(Path(path).name in self.text(makefile), compat)
        compat = "struct virtqueue_info {" not in self.text("include/linux/virtio_config.h")
        self.assertEqual("struct virtqueue_info {" in self.text("drivers/virtio/virtio_balloon_compat.h"), compat)
        self.assertIn("F:\tdrivers/virtio/balloon/\nF:\tdrivers/virtio/virtio_balloon.c\n", self.text("MAINTAINERS"))

    def test_it_is_for_this_kernel(self):
        """Conditions are settled, files are there by the names by which others of ours include or describe them."""
        new = self.series == "7.3"
        ours = {path: self.text(path) for path in self.after if path not in self.before and re.search(r"\.([chS]|rst)$", path)}
        ours |= {path: self.text(path) for path in self.replaced}
        for path, text in ours.items():
            with self.subTest(path):
                if not path.endswith("compat.h"):
                    self.assertNotRegex(text, r"(?m)^#.*\b(HAVE_|MODULE\b|__has_include|BALLOON_CORE_MIGRATES)")
                self.assertEqual(len(re.findall("(?m)^#if", text)), len(re.findall("(?m)^#endif", text)))
                for name in re.findall(r'^#include "(?!\S*/uspace)(\S+)"', text, re.M):
                    self.assertIn(os.path.normpath(Path(path).parent / name), self.after)
                for name in re.findall(r"^#include <(linux/balloon\S*)>", text, re.M):
                    self.assertIn(f"include/{name}", self.after)
                for name in re.findall(r"^.. kernel-doc:: (\S+)", text, re.M):
                    self.assertIn(name, self.after)
        self.assertEqual("set_movable_ops(&balloon_movable_ops, PGTY_offline)" in self.text(self.replaced[0]), new)
        self.assertEqual("mod_node_page_state(" in self.text("mm/balloon/internal.h"), new)
        self.assertEqual("void balloon_page_insert(" in self.text(self.replaced[1]), not new)
        self.assertEqual("global_node_page_state(item)" in self.text("drivers/virtio/balloon/stats.c"), new)

    def text(self, path):
        return self.after.get(path, (0, b""))[1].decode()

    def test_again_changes_nothing(self):
        self.copy(self.installed)
        times = [path.stat().st_mtime_ns for path in sorted(self.tree.rglob("*"))]
        self.does(says="up to date")
        self.assertEqual(snapshot(self.tree), self.after)
        self.assertEqual([path.stat().st_mtime_ns for path in sorted(self.tree.rglob("*"))], times)

    def test_undo_without_overlay(self):
        self.does("--undo", says="nothing was changed")
        self.is_pristine()

    def test_make_sees_that_undo_changed_files(self):
        self.does()
        built = (self.tree / "mm/vmstat.c").stat().st_mtime_ns
        self.does("--undo")
        self.assertGreater((self.tree / "mm/vmstat.c").stat().st_mtime_ns, built)

    def test_undo_leaves_what_others_made(self):
        self.does()
        (self.tree / "tools/testing/balloon/kunit/x.o").write_bytes(b"")
        self.does("--undo")
        (self.tree / "tools/testing/balloon/kunit/x.o").unlink()
        os.removedirs(self.tree / "tools/testing/balloon/kunit")
        self.is_pristine()

    def test_patch(self):
        patch = self.does("--diff")
        self.is_pristine()
        self.assertEqual(self.does("--diff"), patch)
        git(self.tree, "init", "-q")
        git(self.tree, "add", "-A", "-f")
        git(self.tree, "commit", "-q", "-m", "kernel")
        git(self.tree, "am", "-q", input=patch.encode())
        ours = without_store(self.after)
        # git knows of no mode but whether a file can be executed.
        self.assertEqual({path: (mode & 0o100, content) for path, (mode, content) in snapshot(self.tree).items()},
                         {path: (mode & 0o100, content) for path, (mode, content) in ours.items()})
        self.refuses(says="exists and was not installed by this script")
        self.copy(self.installed)
        self.assertEqual(self.does("--diff"), patch)

    def test_each_patch_is_whole(self):
        """A patch names in Makefiles and Kconfig nothing that comes later, and only the third exchanges the core."""
        git(self.tree, "init", "-q")
        git(self.tree, "add", "-A", "-f")
        git(self.tree, "commit", "-q", "-m", "kernel")
        git(self.tree, "am", "-q", input=self.does("--diff").encode())
        commits = git(self.tree, "rev-list", "--reverse", "HEAD").decode().split()
        self.assertEqual(len(commits), 8)
        for number, commit in enumerate(commits):
            with self.subTest(number):
                git(self.tree, "checkout", "-q", commit)
                self.names_what_there_is()
                core = (self.tree / self.replaced[0]).read_bytes()
                self.assertEqual(core == self.before[self.replaced[0]][1], number < 3)
                self.assertEqual((self.tree / "mm/balloon/Makefile").exists(), number >= 3)
                if number:
                    self.assertLessEqual(max(map(len, git(self.tree, "log", "-1", "--format=%B").splitlines())), 75)

    def names_what_there_is(self):
        for where in ("mm", "drivers/virtio"):
            if "+= balloon/\n" in (self.tree / where / "Makefile").read_text():
                makefile = (self.tree / where / "balloon/Makefile").read_text()
                for name in set(re.findall(r"(?<=[ \t])([\w./]+)\.o", makefile)) - set(re.findall(r"\+= (\w+)\.o", makefile)):
                    self.assertTrue((self.tree / where / "balloon" / f"{name}.c").exists(), name)
        for where in ("mm", "drivers/misc"):
            for name in re.findall(r'^source "(.*balloon.*)"', (self.tree / where / "Kconfig").read_text(), re.M):
                self.assertTrue((self.tree / name).exists(), name)
        for makefile, text, name in (("drivers/misc/Makefile", "null_balloon.o", "drivers/misc/null_balloon.c"),
                                     ("mm/Makefile", "balloon/kunit/", "tools/testing/balloon/kunit/Kbuild"),
                                     ("drivers/virtio/Makefile", "balloon/", "drivers/virtio/balloon/queues.c")):
            self.assertEqual(text in (self.tree / makefile).read_text(), (self.tree / name).exists(), name)

    def other_version(self):
        other = self.dir / "other"
        self.addCleanup(shutil.rmtree, other)
        for path in OUR_FILES:
            copy = shutil.copytree if (ROOT / path).is_dir() else shutil.copy
            (other / path).parent.mkdir(parents=True, exist_ok=True)
            copy(ROOT / path, other / path)
        (other / "mm/balloon/new.c").write_text("/* more */\n")
        (other / "mm/balloon/sysfs.c").write_text("/* other */\n")
        (other / "Documentation/mm/balloon_compaction.rst").unlink()
        (other / "Documentation/ABI/testing/sysfs-class-balloon").unlink()
        return other / "scripts/overlay"

    def test_another_version(self):
        script = self.other_version()
        self.does(script=script)
        fresh = snapshot(self.tree)
        self.assertNotEqual(without_store(fresh), without_store(self.after))
        self.copy(self.installed)
        written = (self.tree / "mm/balloon/device.c").stat().st_ino
        self.does(script=script, says="brought up to date")
        self.assertEqual(without_store(snapshot(self.tree)), without_store(fresh))
        self.assertEqual((self.tree / "mm/balloon/device.c").stat().st_ino, written, "what is the same was written")
        self.does(says="brought up to date")
        self.assertEqual(snapshot(self.tree), self.after)
        self.does("--undo")
        self.is_pristine()

    def test_committed_changes_are_the_owners(self):
        replace(self.tree / self.replaced[0], b"balloon_page_list_enqueue /* mine */\n")
        mine = snapshot(self.tree)
        git(self.tree, "init", "-q")
        self.refuses(says="has local changes")
        git(self.tree, "add", "-A", "-f")
        git(self.tree, "commit", "-q", "-m", "kernel")
        self.does()
        self.assertEqual(without_store(snapshot(self.tree)).keys(), without_store(self.after).keys())
        self.does("--undo")
        self.assertEqual(snapshot(self.tree), mine)
        replace(self.tree / self.replaced[0], b"balloon_page_list_enqueue /* not committed */\n")
        self.refuses(says="has local changes")

    # What it refuses

    def test_local_changes(self):
        for path in self.replaced:
            with self.subTest(path):
                self.copy(self.pristine)
                replace(self.tree / path, self.before[path][1] + b"\n")
                changed = snapshot(self.tree)
                self.refuses(says=f"{path} has local changes")
                self.refuses("--diff", says=f"{path} has local changes")
                self.does("--force")
                self.assertEqual(without_store(snapshot(self.tree)), without_store(self.after))
                self.does(says="up to date")
                self.does("--undo")
                self.assertEqual(snapshot(self.tree), changed)

    def test_no_kernel_tree(self):
        for path in ("Makefile", "Kbuild"):
            with self.subTest(path):
                self.copy(self.pristine)
                (self.tree / path).unlink()
                self.refuses(says="is not a kernel tree")
        shutil.rmtree(self.tree)
        self.tree.mkdir()
        self.refuses(says="is not a kernel tree")
        self.refuses("--diff", says="is not a kernel tree")
        done = overlay(self.dir / "nowhere")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1))

    def test_unsupported_kernels(self):
        line = b"obj-$(CONFIG_VMWARE_BALLOON)\t+= vmw_balloon.o\n"
        for path, text, other in (("include/linux/migrate.h", *self.migrate),
                                  ("mm/Makefile", self.core_object, b"+= other.o"),
                                  ("drivers/virtio/Makefile", b"+= virtio_balloon.o", b"+= balloon.o"),
                                  ("mm/vmstat.c", b'"balloon_migrate",', b'"balloon_moved",'),
                                  ("mm/Kconfig", b"config COMPACTION\n", b"config COMPACT\n"),
                                  ("MAINTAINERS", b"\nBACKLIGHT", b"\n\n"),
                                  ("drivers/misc/Makefile", line, 2 * line)):
            with self.subTest(path):
                self.copy(self.pristine)
                content = self.before[path][1].replace(text, other)
                if path == "MAINTAINERS":
                    content = content[:content.index(b"Maintainers List")]
                self.assertNotEqual(content, self.before[path][1])
                replace(self.tree / path, content)
                self.refuses(says="support")
                self.refuses("--force", says="support")
                self.refuses("--diff", says="support")
        self.copy(self.pristine)
        for path in self.replaced[:2]:
            new, old = path.replace("balloon_compaction", "balloon"), path.replace("balloon.", "balloon_compaction.")
            (self.tree / path).rename(self.tree / (new if old == path else old))
        self.refuses(says="support")

    def test_names_that_are_taken(self):
        (self.tree / "mm/balloon").mkdir()
        (self.tree / "mm/balloon/device.c").write_text("/* somebody else's */\n")
        self.refuses(says="mm/balloon/device.c exists")
        self.refuses("--force", says="mm/balloon/device.c exists")

    def test_links_out_of_the_tree(self):
        (self.tree / "mm/vmstat.c").rename(self.tree / "mm/elsewhere.c")
        (self.tree / "mm/vmstat.c").symlink_to("elsewhere.c")
        self.refuses(says="is not a plain file")

    def test_edited_since(self):
        for path in ("mm/balloon/device.c", "mm/vmstat.c"):
            with self.subTest(path):
                self.copy(self.installed)
                replace(self.tree / path, b"/* edited */\n")
                self.refuses(says=f"{path} was edited")
                self.refuses("--force", says=f"{path} was edited")
                self.refuses("--diff", says=f"{path} was edited")
                self.refuses("--undo", says=f"{path} was edited")
                self.does("--undo", "--force")
                self.is_pristine()

    def test_damaged_store(self):
        self.copy(self.installed)
        store = (self.tree / STORE).read_bytes()
        middle = len(store) // 2
        other = bytes([store[middle] ^ 1])
        for damaged in (b"", store[:middle], store[:middle] + other + store[middle + 1:]):
            replace(self.tree / STORE, damaged)
            self.refuses("--undo", says="cannot be read")
            self.refuses("--undo", "--force", says="cannot be read")
            self.refuses(says="cannot be read")

    def test_store_of_an_earlier_version(self):
        (self.tree / STORE / "original").mkdir(parents=True)
        (self.tree / STORE / "manifest").write_text("{}")
        self.refuses(says="with the version that installed it")
        self.refuses("--undo", says="with the version that installed it")

    def test_two_at_once(self):
        lock = os.open(self.tree, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.refuses(says="another overlay works")
        os.close(lock)
        self.does()

    def test_killed_before_the_store_is_in_place(self):
        (self.tree / f"{STORE}.tmp").write_bytes(b"")
        self.refuses(says=f"overlay --undo {self.tree}")
        self.does("--undo", says="as it was")
        self.is_pristine()

    def test_killed_while_installing(self):
        at, step = self.kills
        while overlay(self.tree, dies_at=at).returncode == KILLED:
            self.repairs(f"killed at change {at}")
            at += step
            self.copy(self.pristine)
        self.assertGreater(at, 40)
        self.assertEqual(snapshot(self.tree), self.after)

    def test_killed_while_updating(self):
        script = self.other_version()
        self.does(script=script)
        fresh = without_store(snapshot(self.tree))
        at = 0
        self.copy(self.installed)
        while overlay(self.tree, script=script, dies_at=at).returncode == KILLED:
            with self.subTest(f"killed at change {at}"):
                found = only_files(snapshot(self.tree))
                if found == only_files(fresh):
                    self.does(script=script)
                    self.assertEqual(without_store(snapshot(self.tree)), fresh)
                elif found != only_files(self.after):
                    self.refuses(says=f"overlay --undo {self.tree}", script=script)
                self.does("--undo")
                self.is_pristine()
            at += 1
            self.copy(self.installed)
        self.assertGreater(at, 5)
        self.assertEqual(without_store(snapshot(self.tree)), fresh)

    def test_killed_while_undoing(self):
        self.copy(self.installed)
        at, step = self.kills
        while overlay("--undo", self.tree, dies_at=at).returncode == KILLED:
            self.repairs(f"killed at change {at}")
            at += step
            self.copy(self.installed)
        self.assertGreater(at, 40)
        self.is_pristine()

    def repairs(self, when):
        """A tree is whole, without or with overlay, or refused until --undo has repaired it."""
        with self.subTest(when):
            found = {path for path in snapshot(self.tree).items() if not path[0].startswith(STORE)}
            if found not in (set(self.before.items()), set(without_store(self.after).items())) or \
                    (self.tree / STORE).exists() and found == set(self.before.items()):
                self.refuses(says=f"overlay --undo {self.tree}")
            self.does("--undo")
            self.is_pristine()

    def test_read_only(self):
        prefix = privileges()
        if not prefix:
            self.skipTest("no mount in a namespace here")
        for source, argv in ((self.pristine, []), (self.installed, ["--undo"])):
            self.copy(source)
            mount = 'tree=$1; shift; mount --bind "$tree" "$tree" && mount -o remount,bind,ro "$tree" && exec "$@"'
            sh = [*prefix, "sh", "-c", mount, "sh", self.tree]
            self.refuses(*argv, says="is the tree read-only", prefix=sh)
            self.does("--diff", prefix=sh)
            # A part of the tree only.
            self.refuses(*argv, says="is the tree read-only", prefix=[*sh[:-1], self.tree / "include/linux"])
            self.assertEqual(snapshot(self.tree), snapshot(source))

    def test_full_disk(self):
        """From a disk that is full at once to one that is full near the end; in each case the way back works."""
        prefix = privileges()
        if not prefix:
            self.skipTest("no mount in a namespace here")
        script = """
            set -eu
            pristine=$1 overlay=$2 mnt=$3 free=$4
            mount -t tmpfs none "$mnt"
            cp -a "$pristine" "$mnt/tree"
            mount -o remount,size=$(($(df -k --output=used "$mnt" | tail -1) + free))k "$mnt"
            if "$overlay" "$mnt/tree"; then echo installed; exit 0; fi
            "$overlay" --undo "$mnt/tree"
            diff -r "$pristine" "$mnt/tree"
        """
        mnt = self.dir / "mnt"
        mnt.mkdir()
        results = []
        for free in (0, 400, 1400, 3000):
            done = subprocess.run([*prefix, "sh", "-c", script, "sh", self.pristine, SCRIPT, mnt, str(free)],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            results.append("installed" if "installed\n" in done.stdout else
                           "repaired" if "as it was" in done.stdout else "untouched")
            if results[-1] != "installed":
                self.assertRegex(done.stderr, r"\Aoverlay: .*No space left on device[^\n]*\n\Z")
        mnt.rmdir()
        self.assertEqual(results[0], "untouched")
        self.assertEqual(results[-1], "installed")
        self.assertIn("repaired", results)


class Series612(Overlay, unittest.TestCase):
    series = "6.12"


class Series61(Overlay, unittest.TestCase):
    series = "6.1"
    kills = (3, 7)


class Series73(Overlay, unittest.TestCase):
    series = "7.3"
    replaced = ["mm/balloon.c", "include/linux/balloon.h", "drivers/virtio/virtio_balloon.c"]
    option = "CONFIG_BALLOON"
    core_object = b"+= balloon.o"
    migrate = (b"int set_movable_ops(", b"int set_ops(")
    kills = (5, 7)


class Settle(unittest.TestCase):
    """Conditions of the preprocessor."""

    def setUp(self):
        self.settle = runpy.run_path(str(SCRIPT))["settle"]

    def test_conditions(self):
        text = "#ifdef YES\n1\n#else\n2\n#endif\n#ifdef NO\n3\n#else\n4\n#endif\n#ifdef OTHER\n5\n#else\n6\n#endif\n"
        self.assertEqual(self.settle(text, {"#ifdef YES": True, "#ifdef NO": False}),
                         "1\n4\n#ifdef OTHER\n5\n#else\n6\n#endif\n")

    def test_conditions_in_conditions(self):
        text = ("#ifdef NO\n#if OTHER\n1\n#ifdef YES\n2\n#endif\n#else\n3\n#endif\n#endif\n"
                "#if OTHER\n#ifdef YES\n4\n#endif\n#else\n5\n#endif\n")
        self.assertEqual(self.settle(text, {"#ifdef YES": True, "#ifdef NO": False}), "#if OTHER\n4\n#else\n5\n#endif\n")

    def test_no_blank_lines_are_left(self):
        self.assertEqual(self.settle("1\n\n#ifdef NO\n2\n#endif\n\n3\n", {"#ifdef NO": False}), "1\n\n3\n")


class Usage(unittest.TestCase):
    def test_help(self):
        done = overlay("--help")
        self.assertEqual(done.returncode, 0)
        for word in ("KTREE", "--undo", "--diff", "--force"):
            self.assertIn(word, done.stdout)

    def test_wrong_usage(self):
        for argv in ([], ["--undo", "--diff", "."], ["--wrong", "."], ["a", "b"]):
            self.assertEqual(overlay(*argv).returncode, 2)
