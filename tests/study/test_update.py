"""Callbacks that are told of a study: what they raise reaches the thread that called for it."""

import threading

import pytest

from synaptree.study.update import Teller, Update


@pytest.mark.parametrize("fault", [ValueError("mine"), BrokenPipeError(), SystemExit(1)])
def test_what_a_callback_raises_in_another_thread_is_raised_in_the_callers(fault):
    # rich raises SystemExit where nobody reads any more; in the thread of Dask's loop it would end
    # the loop, and the study would wait for ever.
    told = []

    def progress(update):
        told.append(update)
        raise fault

    tell = Teller(progress)
    thread = threading.Thread(target=lambda: [tell(Update(())), tell(Update(()))])
    thread.start()
    thread.join()
    assert len(told) == 1  # it is not called again
    with pytest.raises(type(fault)) as caught:
        tell.check()
    assert caught.value is fault
