"""Pseudonyms: one child, one code; keyed, kept apart by project, and silent about the key."""

from __future__ import annotations

import hashlib
import hmac
import pickle
import secrets
from pathlib import Path

import pandas as pd
import pytest

from data_contracts.identifiers import nhs_digit, normal_nhs, normal_pnc, pnc_letter
from data_contracts.pseudonym import (
    KEY_VARIABLE,
    Key,
    KeyRefused,
    Scheme,
    key_from_environment,
    key_from_file,
    make_key,
    pseudonym,
    pseudonymise,
)
from data_contracts.pseudonymise_file import PseudonymiseRefused, pseudonymise_file
from data_contracts.table import ContractBroken

SECRET = bytes(range(32))
KEY = Key(SECRET, where="a test")
OTHER = Key(bytes(range(1, 33)), where="a test")


def test_the_check_letter_follows_the_published_rule() -> None:
    # 2001/12345: 01 and 0012345 make 10012345; 10012345 = 23 * 435319 + 8, and place 8 of the letters is H.
    assert 10_012_345 % 23 == 8
    assert pnc_letter(2001, 12345) == "ZABCDEFGHJKLMNPQRTUVWXY"[8] == "H"
    assert normal_pnc("01/0012345H") == "01/0012345H"


@pytest.mark.parametrize(
    "text",
    ["2001/12345h", "01/12345H", " 2001 / 0012345 H", "０１／００１２３４５Ｈ", "01-0012345H", "010012345H"],
)
def test_one_number_in_any_spelling_is_one_number(text: str) -> None:
    assert normal_pnc(text) == "01/0012345H"


@pytest.mark.parametrize(
    "text", ["01/0012345J", "01/0012346H", "1/0012345H", "01/0000000Z", "01/00123456H", "", "x"]
)
def test_what_is_no_pnc_number_has_no_spelling(text: str) -> None:
    assert normal_pnc(text) is None


def test_nhs_check_digit_by_hand() -> None:
    # 943476591: 9*10+4*9+3*8+4*7+7*6+6*5+5*4+9*3+1*2 = 299; 299 mod 11 = 2; 11 - 2 = 9.
    assert nhs_digit("943476591") == 9
    assert normal_nhs("943 476 5919") == "9434765919"
    assert normal_nhs("943 476 5918") is None
    assert normal_nhs("0000000000") is None
    assert nhs_digit("000000000") == 0


def test_a_number_whose_check_digit_is_ten_is_never_issued() -> None:
    nine = next(str(n) for n in range(400_000_000, 400_001_000) if nhs_digit(str(n)) == 10)
    assert all(normal_nhs(nine + str(digit)) is None for digit in range(10))


def test_the_pseudonym_is_the_hmac_that_the_docstring_says() -> None:
    parts = [b"desist pseudonym 1", b"calder", b"pnc", b"01/0012345H"]
    message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    expected = hmac.new(SECRET, message, hashlib.sha256).hexdigest()[:32]
    assert pseudonym("2001/12345h", key=KEY, project="calder", scheme="pnc") == expected


def test_projects_keys_and_schemes_keep_pseudonyms_apart() -> None:
    made = {
        pseudonym("9434765919", key=key, project=project, scheme=scheme)
        for key in (KEY, OTHER)
        for project in ("calder", "calder2")
        for scheme in ("nhs", "text")
    }
    assert len(made) == 8


def test_a_column_merges_spellings_and_keeps_gaps() -> None:
    column = pd.Series(["01/0012345H", None, "2001/12345h", " "], name="pnc", dtype="str")
    made = pseudonymise(column, key=KEY, project="calder", scheme="pnc", table="t")
    assert (made.people, made.rows_without, made.spellings) == (1, 2, 1)
    assert made.pseudonyms.isna().tolist() == [False, True, False, True]
    assert made.pseudonyms.iloc[0] == made.pseudonyms.iloc[2]


def test_a_wrong_check_letter_is_told_by_row_and_not_by_value() -> None:
    with pytest.raises(ContractBroken, match=r"pnc': not a valid PNC number \(1 row: 2\)") as caught:
        pseudonymise(
            pd.Series(["01/0012345H", "01/0012345J"], name="pnc"),
            key=KEY,
            project="p",
            scheme="pnc",
            table="t",
        )
    assert "0012345" not in str(caught.value)


@pytest.mark.parametrize("secret", [b"short", SECRET[:31], b"\0" * 64, b"ab" * 40])
def test_short_and_repeating_keys_are_refused(secret: bytes) -> None:
    with pytest.raises(KeyRefused):
        Key(secret, where="a test")


def test_a_key_shows_itself_nowhere() -> None:
    assert SECRET.hex() not in repr(KEY) + str(KEY)
    with pytest.raises(TypeError):
        pickle.dumps(KEY)
    with pytest.raises(KeyRefused) as caught:
        key_from_environment({KEY_VARIABLE: "c0ffee"})
    assert "c0ffee" not in str(caught.value)


def test_a_key_file_is_made_private_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key"
    make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(path.read_text().strip())) == 32
    assert isinstance(key_from_file(path), Key)
    with pytest.raises(KeyRefused, match="overwritten"):
        make_key(path)
    path.chmod(0o644)
    with pytest.raises(KeyRefused, match="others may read"):
        key_from_file(path)


def test_a_key_inside_a_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with pytest.raises(KeyRefused, match="inside a repository"):
        make_key(tmp_path / "key")
    path = tmp_path / "deep" / "key"
    path.parent.mkdir()
    path.write_text(secrets.token_hex(32))
    path.chmod(0o600)
    with pytest.raises(KeyRefused, match="inside a repository"):
        key_from_file(path)


def test_no_key_at_all_is_refused() -> None:
    with pytest.raises(KeyRefused, match="no key"):
        key_from_environment({})


def test_a_file_is_pseudonymised_whole_or_not_at_all(tmp_path: Path) -> None:
    source, out = tmp_path / "referred.csv", tmp_path / "out.csv"
    source.write_text("pnc,name,age\n01/0012345H,Quetzal Zorbonne,14\n2001/12345h,Q Zorbonne,14\n")
    made = pseudonymise_file(
        source, out, column="pnc", into="person", drop=("name",), scheme="pnc", project="calder", key=KEY
    )
    assert (made.rows, made.people, made.spellings, made.dropped) == (2, 1, 1, ("pnc", "name"))
    text = out.read_text()
    assert text.startswith("person,age\n")
    assert "Zorbonne" not in text and "12345" not in text and SECRET.hex() not in text
    with pytest.raises(PseudonymiseRefused, match="not taken"):
        pseudonymise_file(
            source, out, column="pnc", into="p", drop=(), scheme="pnc", project="calder", key=KEY
        )
    with pytest.raises(PseudonymiseRefused, match="no column"):
        pseudonymise_file(
            source, tmp_path / "b.csv", column="nhs", into="p", drop=(), scheme="nhs", project="c", key=KEY
        )
    source.write_text("pnc,name,age\n01/0012345J,Quetzal Zorbonne,14\n")
    with pytest.raises(ContractBroken):
        pseudonymise_file(
            source, tmp_path / "c.csv", column="pnc", into="p", drop=(), scheme="pnc", project="c", key=KEY
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "referred.csv"]


def make(source: Path, out: Path, *, column: str = "nhs", scheme: Scheme = "nhs") -> pd.DataFrame:
    pseudonymise_file(
        source, out, column=column, into="person", drop=(), scheme=scheme, project="calder", key=KEY
    )
    return pd.read_csv(out, dtype="str", keep_default_na=False)


def test_dates_of_a_workbook_come_out_as_dates(tmp_path: Path) -> None:
    frame = pd.DataFrame({"nhs": ["9434765919"], "seen": [pd.Timestamp("2024-02-03")]})
    frame.to_excel(tmp_path / "seen.xlsx", index=False)
    assert make(tmp_path / "seen.xlsx", tmp_path / "out.csv")["seen"].tolist() == ["2024-02-03"]


def test_numbers_with_gaps_in_parquet_are_read_by_their_digits(tmp_path: Path) -> None:
    whole = pd.DataFrame({"nhs": pd.array([9434765919, None], dtype="Int64"), "age": [14, 15]})
    whole.to_parquet(tmp_path / "seen.parquet")
    made = make(tmp_path / "seen.parquet", tmp_path / "out.csv")
    assert made["person"].tolist() == [pseudonym("9434765919", key=KEY, project="calder", scheme="nhs"), ""]
    whole.assign(nhs=[0.5, 1.5]).to_parquet(tmp_path / "half.parquet")
    with pytest.raises(PseudonymiseRefused, match="neither text nor whole numbers"):
        make(tmp_path / "half.parquet", tmp_path / "other.csv")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nhs,age,age\n9434765919,14,15\n", "a second time"),
        ("nhs,nhs\n9434765919,14\n", "a second time"),
        ("nhs,age,police\n9434765919,14,2001/12345h\n", "in column 3, which would stay"),
        ("nhs,patient\n9434765919,943 476 5919\n", "in column 2, which would stay"),
    ],
)
def test_what_would_leave_an_identifier_in_the_output_is_refused(
    text: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(PseudonymiseRefused, match=told) as caught:
        make(tmp_path / "a.csv", tmp_path / "out.csv")
    assert "12345" not in str(caught.value) and "943" not in str(caught.value)
    assert not (tmp_path / "out.csv").exists()


def test_only_csv_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("nhs,age\n9434765919,14\n")
    with pytest.raises(PseudonymiseRefused, match=r"ending in '\.parquet'"):
        make(tmp_path / "a.csv", tmp_path / "out.parquet")


def test_a_key_given_in_the_place_of_its_file_is_not_repeated() -> None:
    for wrong in (SECRET.hex(), "c0ffee" * 20):
        with pytest.raises(KeyRefused) as caught:
            key_from_file(Path(wrong))
        assert wrong not in str(caught.value)


def test_letters_of_another_alphabet_are_no_pnc_number() -> None:
    """A Cyrillic Н looks like the Latin H."""
    assert normal_pnc("01/0012345\N{CYRILLIC CAPITAL LETTER EN}") is None
    assert normal_pnc("01\N{MINUS SIGN}0012345H") is None


def test_a_place_or_a_name_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("nhs,age\n9434765919,14\n")
    with pytest.raises(PseudonymiseRefused, match="cannot be written"):
        make(tmp_path / "a.csv", Path("/proc/nowhere/out.csv"))
    with pytest.raises(PseudonymiseRefused, match="with other signs"):
        pseudonymise_file(
            tmp_path / "a.csv",
            tmp_path / "out.csv",
            column="nhs",
            into="=1+1",
            drop=(),
            scheme="nhs",
            project="p",
            key=KEY,
        )
