"""Folders that only their owner may write to."""

import os

import pytest

from composer.system import private_folder
from composer.system.private_folder import distrust, make_private

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no modes on this system")


def test_a_new_folder_is_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        make_private(tmp_path / "above" / "new")
    finally:
        os.umask(before)
    assert distrust(tmp_path / "above") is distrust(tmp_path / "above" / "new") is None


def test_folders_above_are_examined_up_to_the_home_of_the_program(tmp_path, monkeypatch):
    home = tmp_path / "home"
    make_private(home / "models" / "training")
    tmp_path.chmod(0o777)
    monkeypatch.setenv("COMPOSER_HOME", str(home))
    assert distrust(home / "models" / "training") is None
    for open_to_others in (home, home / "models"):
        open_to_others.chmod(0o777)
        assert str(open_to_others) in distrust(home / "models" / "training").reason
        open_to_others.chmod(0o755)


def test_missing_folders_are_trusted(tmp_path):
    assert distrust(tmp_path / "nowhere") is None


@pytest.mark.parametrize(("own", "trusted"), [(True, True), (False, False)])
def test_a_group_may_write_if_it_is_the_users_own(tmp_path, monkeypatch, own, trusted):
    monkeypatch.setattr(private_folder, "_is_own_group", lambda group, user: own)
    tmp_path.chmod(0o775)
    assert (distrust(tmp_path) is None) is trusted


def test_the_folder_of_another_user_is_not_trusted_but_by_root(tmp_path, monkeypatch):
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    if owner:  # what belongs to root is trusted
        assert "another user" in distrust(tmp_path).reason
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert distrust(tmp_path) is None
