"""A folder has one driver, or one for each shard."""

import multiprocessing
from contextlib import ExitStack

import pytest

from synaptree import SynaptreeError
from synaptree.study.lock import hold


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ((1, 1), (1, 1), False),
        ((1, 1), (1, 4), False),
        ((1, 4), (1, 1), False),
        ((1, 4), (1, 4), False),
        ((1, 4), (2, 4), True),
    ],
)
def test_who_may_work_beside_whom(tmp_path, first, second, together):
    with ExitStack() as stack:
        stack.enter_context(hold(tmp_path, *first))
        if together:
            stack.enter_context(hold(tmp_path, *second))
        else:
            with pytest.raises(SynaptreeError, match=r"is being written by process \d+ on"):
                stack.enter_context(hold(tmp_path, *second))


def test_a_folder_is_let_go_of(tmp_path):
    for _ in range(2):
        with pytest.raises(ValueError, match="mine"), hold(tmp_path):
            raise ValueError("mine")
    with hold(tmp_path, 1, 2), pytest.raises(SynaptreeError), hold(tmp_path):
        pass
    with hold(tmp_path):
        pass


def _die_holding(folder, ready):
    with hold(folder):
        ready.set()
        multiprocessing.Event().wait()


def test_a_killed_driver_holds_nothing(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    driver = context.Process(target=_die_holding, args=(tmp_path, ready))
    driver.start()
    assert ready.wait(30)
    with pytest.raises(SynaptreeError), hold(tmp_path):
        pass
    driver.kill()
    driver.join()
    with hold(tmp_path):
        pass


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path):
    with pytest.raises(SynaptreeError, match="cannot be written"), hold(tmp_path / "missing"):
        pass
