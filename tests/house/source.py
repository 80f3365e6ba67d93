"""What the tests of the house share: the tree as it lies on the disk."""

import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def files(*folders, suffixes=None):
    """Every file below the folders, without what is built or cached."""
    found = []
    for folder in folders:
        path = ROOT / folder
        candidates = [path] if path.is_file() else sorted(path.rglob("*"))
        found += [file for file in candidates
                  if file.is_file() and "__pycache__" not in file.parts and (suffixes is None or file.suffix in suffixes)]
    return found


def name(path):
    return str(path.relative_to(ROOT))


def kept_files():
    """What git keeps, or would keep: every file that is not ignored. Without git or its folder, all that is not built."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if shutil.which(command[0]) is not None:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if listed.returncode == 0:
            return [ROOT / line for line in listed.stdout.split("\0") if line and (ROOT / line).is_file()]
    return [file for file in files(".") if not {"build", ".git"} & set(file.relative_to(ROOT).parts)]
