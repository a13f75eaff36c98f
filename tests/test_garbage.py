import gc

import pytest

from eznas.garbage import only_new_garbage


def test_what_was_there_is_left_out_of_collections_and_taken_in_again() -> None:
    before = gc.get_freeze_count()
    there = [[]]
    with only_new_garbage():
        assert gc.get_freeze_count() > before
        made = [[]]
        tracked = {id(each) for each in gc.get_objects()}
        assert id(made) in tracked
        assert id(there) not in tracked
    assert id(there) in {id(each) for each in gc.get_objects()}


def test_an_error_ends_it_too() -> None:
    before = gc.get_freeze_count()
    with pytest.raises(RuntimeError), only_new_garbage():
        raise RuntimeError
    assert gc.get_freeze_count() == before
