"""Encryption, masks, words for search, the caller's address."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weilu.lib.crypto import NONCE_BYTES, decrypt, encrypt, encrypt_all, keyed_hash, mask_email, mask_name, mask_phone
from weilu.lib.search import fold, query_words, to_query, to_vector, words_of

text = st.text(max_size=60)


@given(text)
def test_what_was_encrypted_is_read_again(value):
    assert decrypt(encrypt(value)) == value


def test_the_same_text_is_never_the_same_bytes_but_has_the_same_hash():
    assert encrypt("13812345678") != encrypt("13812345678")
    assert keyed_hash("13812345678") == keyed_hash("13812345678") != keyed_hash("13812345679")


def test_many_texts_are_encrypted_each_with_a_nonce_of_its_own():
    texts = ["510824198503120013", "", "13900000000", "13900000000"]
    sealed = encrypt_all(texts)
    assert [decrypt(data) for data in sealed] == texts
    assert sealed[1] == b""
    assert len({data[:NONCE_BYTES] for data in sealed if data}) == 3


def test_changed_bytes_are_not_read():
    data = bytearray(encrypt("田七"))
    data[-1] ^= 1
    with pytest.raises(ValueError, match="damaged"):
        decrypt(bytes(data))


@given(text)
def test_a_mask_never_shows_the_whole(value):
    if len(value) > 1:
        assert mask_name(value)[1:] == "*" * (len(value) - 1)
        assert mask_phone(value) != value or set(value) == {"*"}
    assert mask_email(f"{value}@example.org").endswith("***@example.org") or "@" in value


@pytest.mark.parametrize(
    ("phone", "masked"), [("13812345678", "138****5678"), ("0839-5221234", "083****1234"), ("12345", "*****"), ("", "")]
)
def test_a_telephone_is_masked_in_the_middle(phone, masked):
    assert mask_phone(phone) == masked


@pytest.mark.django_db
@given(text)
@settings(max_examples=80, deadline=None)
def test_any_text_can_be_indexed_and_sought(value):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::tsvector", [to_vector(words_of(value))])
        if words := query_words(value):
            cursor.execute("SELECT %s::tsquery", [to_query(words)])


characters = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=12)


@given(characters)
@settings(max_examples=150, deadline=None)
def test_a_text_is_found_by_itself(value):
    assert set(query_words(value)) <= set(words_of(value))


def test_one_spelling_for_all():
    assert fold("ＷＩＦＩ") == "wifi"
    assert fold("臺灣電腦") == fold("台湾电脑")
