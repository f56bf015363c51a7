"""Where the embedded server's socket lies."""

from pathlib import Path

import pytest

from weilu.lib import embedded_postgres
from weilu.lib.embedded_postgres import PostgresError, socket_folder

KERNEL_LIMIT = 107  # bytes in sockaddr_un.sun_path


@pytest.mark.parametrize("depth", [1, 5, 20])
def test_the_path_of_the_socket_is_short_enough_wherever_data_and_temporary_folder_lie(depth, tmp_path, monkeypatch):
    deep = tmp_path.joinpath(*["a-folder-with-a-name"] * depth)
    monkeypatch.setenv("TMPDIR", str(deep))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert len(bytes(socket_folder(deep) / ".s.PGSQL.5432")) <= KERNEL_LIMIT


def test_two_processes_with_different_temporary_folders_find_the_same_socket(tmp_path, monkeypatch):
    deep = tmp_path.joinpath(*["a-folder-with-a-name"] * 6)
    before = socket_folder(deep)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert socket_folder(deep) == before


def test_a_link_in_the_place_of_the_folder_is_refused(tmp_path):
    link = tmp_path / "run"
    link.symlink_to(Path("/etc"))
    with pytest.raises(PostgresError, match="link"):
        embedded_postgres._own(link)
