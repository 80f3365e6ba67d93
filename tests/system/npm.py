"""Packages from npm for tests, each version installed below build/npm on first use."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from harness import ROOT

STORE = ROOT / "build/npm"


def _install(name, version, folder):
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise AssertionError("this test needs node and npm (Debian: nodejs npm); ./dev test installs them")
    STORE.mkdir(parents=True, exist_ok=True)
    fresh = tempfile.mkdtemp(dir=STORE)
    try:
        command = ["npm", "install", "--prefix", fresh, "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error",
                   f"{name}@{version}"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=fresh, check=False)
        if result.returncode != 0:
            raise AssertionError(f"npm can't install {name}@{version}: {result.stderr.strip()[-500:]}")
        try:
            os.replace(fresh, folder)
        except OSError:  # another test was faster
            if not (folder / "node_modules").is_dir():
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def module(name, version, entry) -> pathlib.Path:
    """The path of a package's file `entry`, for an import."""
    folder = STORE / f"{name.replace('/', '-').lstrip('@')}-{version}"
    path = folder / "node_modules" / name / entry
    if not path.exists():
        _install(name, version, folder)
    assert path.exists(), f"{name}@{version} has no {entry}"
    return path


def _command(script, arguments):
    return ["node", str(pathlib.Path(__file__).with_name(script)), *map(str, arguments)]


def run(script, *arguments, stdin=None, timeout=60) -> subprocess.CompletedProcess:
    """Runs a script of this folder by node."""
    return subprocess.run(_command(script, arguments), input=stdin, capture_output=True, text=True, timeout=timeout,
                          check=False)


def start(script, *arguments) -> subprocess.Popen:
    """Starts a script of this folder by node; its output can be read while it runs."""
    return subprocess.Popen(_command(script, arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
