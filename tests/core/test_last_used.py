"""Values in memory, as many as there is room for."""

from defimon.core.last_used import LastUsed


def test_the_value_that_was_not_asked_for_longest_is_let_go():
    held = LastUsed(most=2, most_bytes=100)
    for name in "ab":
        held.put(name, name.upper(), 1)
    assert held.get("a") == "A"
    held.put("c", "C", 1)
    assert [held.get(name) for name in "abc"] == ["A", None, "C"]


def test_values_are_held_up_to_a_sum_of_bytes_and_one_that_is_larger_by_itself_never():
    held = LastUsed(most=10, most_bytes=100)
    for name, size in (("a", 60), ("b", 40), ("c", 50), ("d", 101)):
        held.put(name, name.upper(), size)
    assert [held.get(name) for name in "abcd"] == [None, "B", "C", None]
    held.put("b", "larger", 60)
    assert [held.get(name) for name in "bc"] == ["larger", None]
