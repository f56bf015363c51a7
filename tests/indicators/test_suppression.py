"""Small numbers about people are kept from the public, and so is what would give them away."""

from itertools import product

from weilu.indicators.suppression import SMALL, is_small, suppressed


def test_fewer_than_five_are_small_and_nobody_is_not():
    assert [number for number in range(8) if is_small(number)] == [1, 2, 3, 4]
    assert not is_small(None)


def test_two_small_numbers_that_hide_each_other_are_all_that_is_kept_back():
    assert suppressed({"a": 3, "b": 4, "c": 20}) == {"a", "b"}


def test_one_small_number_takes_the_smallest_of_the_others_with_it():
    assert suppressed({"a": 3, "b": 30, "c": 20, "d": 0}) == {"a", "c"}


def test_small_numbers_whose_sum_is_small_take_another_with_them():
    assert suppressed({"a": 1, "b": 2, "c": 20, "d": 9}) == {"a", "b", "d"}


def test_without_a_small_number_nothing_is_kept_back():
    assert suppressed({"a": 5, "b": 30, "c": 0, "d": None}) == set()


def test_a_small_number_alone_is_kept_back():
    assert suppressed({"a": 3}) == {"a"}


def test_no_total_less_the_shown_groups_gives_a_small_number_away():
    for counts in product(range(12), repeat=4):
        groups = dict(enumerate(counts))
        kept = suppressed(groups)
        assert all(key in kept for key, count in groups.items() if is_small(count))
        rest = sum(groups[key] for key in kept)
        alone = kept == {key for key, count in groups.items() if count}  # nobody else is there to hide behind
        assert not kept or alone or (len(kept) > 1 and rest >= SMALL)
