"""Specs: written, edited, read again; and the metadata of SDV."""

from __future__ import annotations

import json

import pytest

from tenfold.data.table.schema import Column, Pattern, TableSpec, read_spec, write_spec
from tenfold.data.table.sdv import from_sdv
from tenfold.errors import DataError

COLUMNS = (
    Column("age", "numeric", "int64", integer=True, decimals=0, low=17.0, high=90.0),
    Column(
        "gain",
        "numeric",
        "str",
        missing_share=0.25,
        missing_as=" ?",
        decimals=2,
        decimal=",",
        low=0.0,
        high=9.5,
        log=True,
        masses=(0.0,),
    ),
    Column(
        "size",
        "categorical",
        "category",
        categories=("S", "M"),
        ordered=True,
        spellings={"S": " S", "M": "M", "L": "L"},
        rare_beyond=5,
    ),
    Column("flag", "boolean", "bool", categories=("False", "True")),
    Column(
        "day",
        "datetime",
        "datetime64[us]",
        low=0.0,
        high=86400.5,
        unit="millisecond",
        timezone="Europe/Berlin",
    ),
    Column("id", "id", "str", pattern=Pattern("C-", 5), low=1.0, high=20.0),
    Column("note", "text", "str"),
    Column("unit", "constant", "str", value=" kg"),
    Column("left", "ignore", "object"),
)
SPEC = TableSpec(COLUMNS, "id", ({"kind": "less", "low": "age", "high": "gain"},), "flag")


def test_a_spec_survives_json():
    assert TableSpec.from_json(json.loads(json.dumps(SPEC.to_json()))) == SPEC


def test_a_spec_survives_a_file(tmp_path):
    write_spec(SPEC, tmp_path / "spec.json")
    assert read_spec(tmp_path / "spec.json") == SPEC
    assert [path.name for path in tmp_path.iterdir()] == ["spec.json"]


def test_a_spec_shows_what_belongs_to_each_kind_and_dates_as_dates():
    age, day = SPEC.to_json()["columns"][0], SPEC.to_json()["columns"][4]
    assert age["log"] is False and "categories" not in age and "timezone" not in age
    assert (day["low"], day["high"]) == ("1970-01-01T00:00:00", "1970-01-02T00:00:00.500000")


def test_a_spec_may_say_no_more_than_kinds():
    spec = TableSpec.from_json({"columns": [{"name": "a", "kind": "numeric"}]})
    assert spec.columns[0].bare and not any(column.bare for column in COLUMNS)


def edited(change, column=0):
    fields = SPEC.to_json()
    fields["columns"][column].update(change)
    return fields


@pytest.mark.parametrize(
    ("column", "change", "message"),
    [
        (0, {"kind": "numerik"}, "'numerik' as its kind.*Did you mean 'numeric'"),
        (0, {"lwo": 3}, "unknown field 'lwo'. Did you mean 'low'"),
        (0, {"low": 100}, "low, 100, is above high, 90"),
        (0, {"low": "young"}, "'young' as its low; expected a number, or a date"),
        (0, {"high": True}, "True as its high"),
        (0, {"decimals": 1.5}, "expected a whole number from 0 to 15"),
        (0, {"integer": "yes"}, "expected true or false"),
        (0, {"masses": [200]}, "the mass 200 is not between low and high"),
        (0, {"log": True, "low": -1}, "log is for positive numbers"),
        (0, {"ordered": True}, "it is ordered, and numeric"),
        (1, {"missing": False}, "missing is false, and 25%"),
        (1, {"missing_share": 3}, "a share from 0 to 1"),
        (2, {"categories": ["S", "S"]}, "each category once"),
        (2, {"categories": [" S"]}, "without blanks"),
        (2, {"categories": "S"}, "expected a list"),
        (3, {"categories": ["False", "True", "Perhaps"]}, "has 3 categories"),
        (4, {"unit": "year"}, "expected one of day, hour"),
        (5, {"pattern": "C-"}, "an object such as"),
    ],
)
def test_what_is_wrong_in_an_edited_column_is_said(column, change, message):
    with pytest.raises(DataError, match=message):
        TableSpec.from_json(edited(change, column))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colums": []}, "unknown field 'colums'. Did you mean 'columns'"),
        ({"target": "flagg"}, "target is 'flagg', which is no column. Did you mean 'flag'"),
        ({"target": "id"}, "of kind id, which is not learnt"),
        ({"primary_key": "key"}, "primary_key is 'key'"),
        ({"version": 9}, "of version 9"),
        ({"columns": [{"name": "a", "kind": "id"}] * 2, "target": None, "primary_key": None}, "'a' twice"),
        ({"columns": [{"name": "a"}]}, "of what kind the column 'a' is"),
        ({"columns": [3]}, "an object with a name was expected"),
        ({"columns": {}}, "expected to be lists"),
        ({"constraints": ["a < b"]}, "A constraint of the spec is 'a < b'"),
    ],
)
def test_what_is_wrong_in_an_edited_spec_is_said(change, message):
    with pytest.raises(DataError, match=message):
        TableSpec.from_json({**SPEC.to_json(), **change})


def test_files_that_are_no_specs(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_spec(tmp_path / "absent.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(DataError, match="is not JSON"):
        read_spec(tmp_path / "broken.json")


def test_a_column_is_found_by_its_name():
    assert SPEC.column("age") is COLUMNS[0]
    with pytest.raises(DataError, match=r"no column 'agee'\. Did you mean 'age'"):
        SPEC.column("agee")


HOTEL = {
    "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1",
    "primary_key": "guest_email",
    "columns": {
        "guest_email": {"sdtype": "email", "pii": True},
        "has_rewards": {"sdtype": "boolean"},
        "room_type": {"sdtype": "categorical"},
        "nights": {"sdtype": "numerical", "computer_representation": "Int64"},
        "fee": {"sdtype": "numerical"},
        "checkin": {"sdtype": "datetime", "datetime_format": "%d %b %Y"},
        "address": {"sdtype": "address", "pii": True},
        "city": {"sdtype": "city", "pii": False},
        "booking": {"sdtype": "id", "regex_format": "B-[0-9]{4}"},
    },
}


def test_metadata_of_sdv_are_read(tmp_path):
    spec = from_sdv(HOTEL)
    kinds = {column.name: column.kind for column in spec.columns}
    assert kinds == {
        "guest_email": "id",
        "has_rewards": "boolean",
        "room_type": "categorical",
        "nights": "numeric",
        "fee": "numeric",
        "checkin": "datetime",
        "address": "ignore",
        "city": "categorical",
        "booking": "id",
    }
    assert spec.primary_key == "guest_email"
    assert spec.column("nights").integer and not spec.column("fee").integer
    assert spec.column("checkin").format == "%d %b %Y"
    assert spec.column("booking").pattern == Pattern("B-", 4)
    assert spec.column("guest_email").pattern is None
    (tmp_path / "metadata.json").write_text(json.dumps(HOTEL))
    assert read_spec(tmp_path / "metadata.json") == spec


def test_metadata_of_several_tables_are_read_if_there_is_one():
    version, table = "V1", {key: HOTEL[key] for key in ("primary_key", "columns")}
    one = {"METADATA_SPEC_VERSION": version, "tables": {"guests": table}, "relationships": []}
    assert from_sdv(one) == from_sdv(HOTEL)
    with pytest.raises(DataError, match=r"of 2 tables \(guests, hotels\)"):
        from_sdv({**one, "tables": {"guests": table, "hotels": table}})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"METADATA_SPEC_VERSION": "V9", "columns": {}}, "of version 'V9'"),
        ({"columns": {"a": {"sdtype": "numercal"}}}, "Did you mean 'numerical'"),
        ({"columns": {"a": {}}}, "do not say the sdtype"),
        ({"columns": {"a": {"sdtype": "id"}}, "primary_key": "b"}, "'b' is no column"),
        ({"tables": {"t": {}}}, "no object called columns"),
    ],
)
def test_what_is_wrong_in_metadata_of_sdv_is_said(fields, message):
    with pytest.raises(DataError, match=message):
        from_sdv(fields)
