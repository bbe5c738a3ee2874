"""The scripts behind `make`: they find what is missing, say it in words, and leave alone what is
there.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[1] / "tools"
BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None, reason="there is no bash here")


@pytest.fixture
def machine(tmp_path):
    """A machine with a copy of the tools and only the commands that a test gives it."""
    tools, bin_folder = tmp_path / "tools", tmp_path / "bin"
    shutil.copytree(TOOLS, tools)
    bin_folder.mkdir()
    for name in ("dirname", "tr", "sed", "cat", "env", "mktemp", "rm"):
        (bin_folder / name).symlink_to(shutil.which(name))

    class Machine:
        def command(self, name, script, folder=bin_folder):
            path = folder / name
            path.unlink(missing_ok=True)
            path.write_text(f"#!{BASH}\n{script}\n")
            path.chmod(0o755)

        def tool(self, name, script):
            self.command(name, script, tools)

        def run(self, tool, *arguments, **environment):
            return subprocess.run(
                [BASH, tools / tool, *arguments],
                env={"PATH": str(bin_folder), **environment},
                cwd=tmp_path,
                capture_output=True,
                text=True,
            )

        def has(self, *packages):
            lines = "".join(f"installed={package} " for package in packages)
            self.command("dpkg-query", f'echo -n "{lines}"')

    return Machine()


def all_packages():
    text = (TOOLS / "system-packages").read_text()
    return re.search(r"packages=\(([^)]*)\)", text)[1].split()


def test_missing_packages_are_installed_and_no_others(machine):
    machine.tool("apt-install", 'echo "$@"')
    there = [p for p in all_packages() if p not in ("libegl1", "libxcb-cursor0")]
    machine.has(*there, "xvfb")
    assert machine.run("system-packages").stdout.split() == ["libegl1", "libxcb-cursor0", "xauth"]


def test_nothing_is_installed_where_all_is_there_under_whatever_name(machine):
    machine.tool("apt-install", "echo called")
    names = [f"{p}t64" if p == "libglib2.0-0" else p for p in all_packages()]
    machine.has(*names, "xvfb", "xauth")
    done = machine.run("system-packages")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_machine_with_a_display_needs_no_xvfb(machine):
    machine.tool("apt-install", 'echo "$@"')
    machine.has(*all_packages())
    assert machine.run("system-packages", DISPLAY=":0").stdout == ""
    assert machine.run("system-packages").stdout.split() == ["xvfb", "xauth"]


def test_other_systems_are_told_what_a_window_needs_and_go_on(machine):
    done = machine.run("system-packages")
    assert done.returncode == 0 and "libxcb-cursor0" in done.stderr


@pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("setpriv") is None,
    reason="root cannot try being somebody else",
)
def test_who_may_not_install_is_told_the_command(machine, tmp_path):
    bin_folder, tools = tmp_path / "bin", tmp_path / "tools"
    machine.command("apt-get", "echo must not be called; exit 1")
    command = [BASH, str(tools / "apt-install"), "libegl1", "xvfb"]
    if os.geteuid() == 0:
        for folder in (tmp_path, *tmp_path.parents):
            if "pytest" in str(folder):  # nobody else may look into pytest's folders
                folder.chmod(0o755)
        command = [
            shutil.which("setpriv"),
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            *command,
        ]
    done = subprocess.run(
        command, env={"PATH": str(bin_folder)}, capture_output=True, text=True, cwd="/"
    )
    assert done.returncode == 1
    assert "sudo apt-get install libegl1 xvfb" in done.stderr and "must not" not in done.stdout


def test_a_machine_without_a_python_new_enough_is_told_so(machine):
    machine.command("python3", "exit 1")
    done = machine.run("make-venv", "venv")
    assert done.returncode == 1
    assert done.stderr.startswith("No Python 3.11 or newer was found")
    assert len(done.stderr.splitlines()) == 1


def test_the_pinned_python_is_preferred_and_one_that_can_make_environments(machine, tmp_path):
    machine.command("python3.11", '[[ "$2" != *ensurepip* ]]')
    machine.command("python3.12", 'echo "3.12 $*" >> made; [[ "$1" != -m ]]')
    machine.run("make-venv", "venv")
    made = (tmp_path / "made").read_text()
    assert "3.12 -m venv --clear venv" in made


def test_a_command_runs_on_the_display_that_is_there(machine):
    machine.command("xvfb-run", "echo xvfb-run $QT_QPA_PLATFORM")
    machine.command("show", "echo shown $QT_API $QT_QPA_PLATFORM")
    assert machine.run("with-display", "show", DISPLAY=":0").stdout.split() == ["shown", "pyqt6"]
    assert machine.run("with-display", "show", QT_QPA_PLATFORM="offscreen").stdout.split() == [
        "xvfb-run",
        "xcb",
    ]
