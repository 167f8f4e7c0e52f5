import multiprocessing
from pathlib import Path

import pytest

from nst.infer.errors import UserError
from nst.train.folder_lock import leave_locks, lock_folder


def test_one_at_a_time(tmp_path: Path) -> None:
    with lock_folder(tmp_path), pytest.raises(UserError, match="another nst-train works in"):
        lock_folder(tmp_path)
    lock_folder(tmp_path).close()


def wait(parent_is_done: "multiprocessing.synchronize.Event") -> None:
    leave_locks()
    parent_is_done.wait(60)


def test_a_forked_process_does_not_keep_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    parent_is_done = context.Event()
    lock = lock_folder(tmp_path)
    child = context.Process(target=wait, args=(parent_is_done,))
    child.start()
    child.join(2)
    assert child.is_alive()
    lock.close()
    lock_folder(tmp_path).close()
    parent_is_done.set()
    child.join()
