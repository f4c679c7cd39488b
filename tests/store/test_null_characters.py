"""Text with a null character, which a stranger may ask for, is like nothing that is stored."""


def test_nothing_is_found_by_text_with_a_null_character(store, yields):
    store.write("yields", yields(("a", 1, 0.1), ("b", 1, 0.2)))
    assert store.read("yields", where={"pool_id": ["a\0"]}).is_empty()
    assert store.read("yields", where={"pool_id": ["a\0", "b"]})["pool_id"].to_list() == ["b"]
    assert store.read("yields", where={"pool_id": ["\0"] * 200}).is_empty()
