"""The revision on record is that of this code, not of whatever repository it lies in."""

import shutil
import subprocess

from sweeps.planning import description


def git(folder, *arguments):
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True)


def test_a_package_installed_inside_a_repository_is_no_part_of_it(tmp_path, monkeypatch):
    git(tmp_path, "init")
    (tmp_path / "theirs.txt").write_text("")
    git(tmp_path, "add", "theirs.txt")
    git(tmp_path, "commit", "-m", "theirs")
    ours = tmp_path / "site-packages" / "description.py"
    ours.parent.mkdir()
    shutil.copy(description.__file__, ours)
    monkeypatch.setattr(description, "__file__", str(ours))
    assert description._git_revision() is None
    git(tmp_path, "add", str(ours))
    git(tmp_path, "commit", "-m", "ours")
    revision = description._git_revision()
    assert revision
    ours.write_text("changed")
    assert description._git_revision() == f"{revision}-dirty"


def test_no_git_is_no_revision(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert description._git_revision() is None
