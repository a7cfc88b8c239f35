# SPDX-License-Identifier: GPL-2.0
"""
Make a directory of fake /sys and /proc files from one text, for balloonctl's --sysroot.

	cd tools/testing/balloon && python3 -m harness.systree FILE DIRECTORY

FILE is what "balloonctl diagnose" writes, so that a report can be looked at, or a test's tree. Lines:

	== PATH                 what follows is this file; with a slash at the end, a folder
	-> PATH TARGET          a symbolic link
	!= PATH REASON          it could not be read: left out
	# ...                   nothing, if no file has begun
	<< NAME                 NAME.tree of the same folder first
	-- PATH                 not this file or folder after all
	%% /proc/kpageflags     what follows is in lines "PFN NUMBER KIND ...", such as "512 3x 500 balloon 12 free"
"""
import array
import shutil
import sys
from pathlib import Path

from .common import HarnessError

# <linux/kernel-page-flags.h>
KINDS = {"free": 1 << 10, "hole": 1 << 20, "balloon": 1 << 23, "used": 1 << 5}


def make(text, directory, others=None):
    """Put the files of @text into @directory. @others is where included trees are."""
    lines, path = [], None
    for line in [*text.removesuffix("\n").split("\n"), "# "]:
        word, _, rest = line.partition(" ")
        if path and (word not in ("==", "->", "!=", "--", "%%") and line != "# "):
            lines.append(line)
            continue
        if path:
            finish(directory, path, lines)
        lines, path = [], None
        if word in ("==", "%%"):
            path = (word, rest.strip())
        elif word:
            other_line(directory, word, rest, others)


def other_line(directory, word, rest, others):
    if word == "->":
        path, target = rest.split(" ", 1)
        place(directory, path).symlink_to(target)
    elif word == "--":
        remove(place(directory, rest))
    elif word == "<<":
        make((others / f"{rest}.tree").read_text(encoding="latin-1"), directory, others)
    elif word not in ("#", "!="):
        raise HarnessError(f"a tree cannot have a line '{word} {rest}'")


def place(directory, path):
    """The file in the directory, to be made anew."""
    file = directory / path.strip("/")
    if ".." in file.parts:
        raise HarnessError(f"{path} leads out of the tree")
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.is_symlink():
        file.unlink()
    return file


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def finish(directory, path, lines):
    kind, name = path
    file = place(directory, name)
    if name.endswith("/"):
        file.mkdir(exist_ok=True)
    elif kind == "%%":
        write_flags(file, lines)
    else:
        file.write_text("".join(f"{line}\n" for line in lines), encoding="latin-1")
        if file.name == "compact":
            file.chmod(0o200)


def write_flags(file, lines):
    with open(file, "wb") as out:
        for line in filter(None, lines):
            first, *words = line.split()
            out.seek(8 * int(first))
            times = int(words.pop(0)[:-1]) if words[0].endswith("x") else 1
            flags = array.array("Q")
            for number, kind in zip(words[::2], words[1::2]):
                flags.extend([KINDS[kind]] * int(number))
            out.write(flags.tobytes() * times)


if __name__ == "__main__":
    make(Path(sys.argv[1]).read_text(encoding="latin-1"), Path(sys.argv[2]))
