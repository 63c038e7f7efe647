"""Series out of frames and arrays, and into them again."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from tenfold.data.series.arrays import array_of
from tenfold.data.series.columns import decimals_of
from tenfold.data.series.frames import frame_of, read_series
from tenfold.data.series.ragged import Ragged, ragged, windows
from tenfold.data.series.schema import SeriesOptions, SeriesSchema
from tenfold.errors import DataError

pd = pytest.importorskip("pandas")


def long(**columns):
    whole = {
        "patient": ["b", "b", "a", "a", "a"],
        "time": [2, 1, 1, 2, 4],
        "region": ["south", "south", "north", "north", "north"],
        "pulse": [70, 60, 80, 81, 82],
        "rhythm": ["sinus", "sinus", "sinus", "flutter", "sinus"],
    }
    return pd.DataFrame({**whole, **columns})


def test_rows_become_series_in_the_order_of_time():
    read = read_series(long())
    assert read.series.lengths.tolist() == [2, 3]
    assert read.series.values[:, 0].tolist() == [60, 70, 80, 81, 82]
    assert read.series.times.tolist() == [1, 2, 1, 2, 4]
    assert read.names == ["patient b", "patient a"]


def test_what_never_changes_within_a_series_is_metadata():
    read = read_series(long())
    assert [column.name for column in read.schema.metadata] == ["region"]
    assert [column.name for column in read.schema.channels] == ["pulse", "rhythm"]
    assert read.schema.metadata[0].levels == ("north", "south")
    assert read.series.metadata.tolist() == [[1], [0]]
    assert read.series.values[:, 1].tolist() == [1, 1, 1, 0, 1]


def test_frames_come_back_with_new_entities_and_the_same_types():
    frame = long()
    read = read_series(frame)
    back = frame_of(read.schema, read.series, first=7)
    assert list(back.columns) == list(frame.columns)
    assert back["patient"].tolist() == ["made-000007"] * 2 + ["made-000008"] * 3
    assert back["time"].tolist() == [1, 2, 1, 2, 4]
    assert back["region"].tolist() == ["south"] * 2 + ["north"] * 3
    assert back["rhythm"].tolist() == ["sinus", "sinus", "sinus", "flutter", "sinus"]
    for name in ("time", "pulse", "rhythm", "region"):
        assert back[name].dtype == frame[name].dtype


def test_entities_that_are_numbers_go_on_counting():
    read = read_series(long(patient=[4, 4, 9, 9, 9]))
    assert frame_of(read.schema, read.series)["patient"].tolist() == [10, 10, 11, 11, 11]


def test_labels_are_classes():
    read = read_series(long(), SeriesOptions(label="region"))
    assert read.schema.label.levels == ("north", "south")
    assert read.series.labels.tolist() == [1, 0]
    assert not read.schema.metadata
    assert frame_of(read.schema, read.series)["region"].tolist() == ["south"] * 2 + ["north"] * 3


def test_dates_come_back_as_they_were():
    dates = ["2024-02-01", "2024-01-31", "2024-01-01", "2024-01-02", "2024-01-05"]
    for column in (
        dates,
        pd.to_datetime(pd.Series(dates)),
        pd.to_datetime(pd.Series(dates)).dt.tz_localize("UTC"),
    ):
        frame = long(time=column)
        read = read_series(frame)
        assert read.schema.time.unit == 86400
        back = frame_of(read.schema, read.series)["time"]
        assert back.dtype == frame["time"].dtype
        assert back.astype(str).tolist() == frame["time"].iloc[[1, 0, 2, 3, 4]].astype(str).tolist()


@pytest.mark.parametrize(
    "dates",
    [
        ["02/02/2024", "01/02/2024", "12/01/2024", "13/01/2024", "16/01/2024"],
        ["2/2/2024", "2/1/2024", "1/12/2024", "1/13/2024", "1/16/2024"],
        ["02.02.2024 08:30", "01.02.2024 08:00", "12.01.2024 09:15", "13.01.2024 10:00", "16.01.2024 11:00"],
    ],
)
def test_dates_as_text_are_read_and_written_in_their_format(dates):
    frame = long(time=dates)
    read = read_series(frame)
    january = np.datetime64("2024-01-12").astype("datetime64[s]").astype(float)
    assert read.series.times[2] // 86400 == january // 86400
    assert frame_of(read.schema, read.series)["time"].tolist() == [dates[i] for i in (1, 0, 2, 3, 4)]
    assert SeriesSchema.from_json(json.loads(json.dumps(asdict(read.schema)))) == read.schema
    assert not read.notes


def test_a_note_says_which_of_day_and_month_is_taken_to_come_first():
    dates = ["02/02/2024", "01/02/2024", "03/01/2024", "04/01/2024", "12/01/2024"]
    (note,) = read_series(long(time=dates)).notes
    assert note.startswith("no day of time is above 12: the month is taken to come first")


def test_columns_may_be_named_with_commas_between_them():
    frame = long(age=[3, 3, 4, 4, 4])
    frame["x,y"] = [1, 2, 3, 4, 5]
    read = read_series(frame, SeriesOptions(metadata=("region, age",), drop=("x,y", "rhythm")))
    assert [column.name for column in read.schema.metadata] == ["region", "age"]
    assert [column.name for column in read.schema.channels] == ["pulse"]
    steps = np.arange(24.0).reshape(2, 4, 3) % 2
    whole = read_series(steps, SeriesOptions(categories=("0,2",)))
    assert [bool(column.levels) for column in whole.schema.channels] == [True, False, True]


def test_blanks_around_texts_tell_nothing_apart():
    read = read_series(long(rhythm=["sinus", " sinus", "sinus ", "flutter", "sinus"]))
    assert read.schema.channels[1].levels == ("flutter", "sinus")


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        (
            {"time": [1, 1, 1, 2, 4]},
            {},
            r"rows have the entity and the time of another \(first: patient b, time 1",
        ),
        (
            {"pulse": [70.0, 60, 80, np.nan, 82]},
            {},
            r"pulse is missing in 1 of 5 steps \(first: patient a, time 2\)",
        ),
        ({"pulse": [70.0, 60, 80, np.inf, 82]}, {}, "pulse is infinite in 1 rows .first: row 4"),
        ({"pulse": [np.nan] * 5}, {}, "pulse has no value at all"),
        ({"patient": ["b", None, "a", "a", "a"]}, {}, "patient is missing in 1 of 5 rows .first: row 2"),
        ({"time": [1, 2, None, 2, 4]}, {}, "time is missing in 1 of 5 rows .first: row 3"),
        ({"time": ["2024-01-01", "soon", "2024-01-01", "2024-01-02", "2024-01-03"]}, {}, "row 2, 'soon'"),
        ({"rhythm": ["a", 1, "b", "c", "d"]}, {}, "rhythm holds values of several kinds"),
        (
            {"rhythm": [f"{i}" for i in range(5)], "patient": list("abcde")},
            {},
            "the longest series of .* 1 step",
        ),
        ({}, {"metadata": ("pulse",)}, "pulse was called metadata, but changes .*first: patient b, time 2"),
        ({}, {"label": "rhythm"}, "the label rhythm changes within a series .*first: patient a, time 2"),
        ({}, {"label": "regoin"}, "Did you mean 'region'"),
        ({}, {"drop": ("pulse", "rhythm")}, "no column changes within a series"),
        ({}, {"window": 9}, "the longest series of .* has 3 step.*windows of 9 steps were expected"),
    ],
)
def test_what_is_wrong_and_where(columns, options, message):
    with pytest.raises(DataError, match=message):
        read_series(long(**columns), SeriesOptions(**options))


def test_without_entities_there_must_be_windows():
    frame = pd.DataFrame({"price": np.arange(10.0), "volume": np.arange(10) % 3})
    with pytest.raises(DataError, match=r"no column of .* says which series a row belongs to"):
        read_series(frame)
    read = read_series(frame, SeriesOptions(window=4, stride=2))
    assert read.series.lengths.tolist() == [4, 4, 4, 4]
    assert read.series.values[:4, 0].tolist() == [0, 1, 2, 3]
    assert read.series.values[4:8, 0].tolist() == [2, 3, 4, 5]
    back = frame_of(read.schema, read.series)
    assert list(back.columns) == ["series", "price", "volume"]
    assert back["series"].tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4


def test_gaps_can_be_filled():
    options = SeriesOptions(gaps="fill")
    read = read_series(long(pulse=[70.0, np.nan, 80, np.nan, 82]), options)
    assert read.series.values[:, 0].tolist() == [70, 70, 80, 80, 82]
    assert "2 missing values of pulse are those of the step before" in read.notes
    with pytest.raises(DataError, match=r"pulse is missing in a whole series \(patient b"):
        read_series(long(pulse=[np.nan, np.nan, 80, 81, 82]), options)


def test_categories_may_be_numbers_or_missing():
    read = read_series(
        long(pulse=[2, 1, 1, 2, 2], rhythm=["x", None, "x", "y", "x"]), SeriesOptions(categories=("pulse",))
    )
    assert read.schema.channels[0].levels == (1, 2)
    assert read.schema.channels[1].levels == ("x", "y", None)
    assert read.series.values[0].tolist() == [0, 2]
    back = frame_of(read.schema, read.series)
    assert back["pulse"].tolist() == [1, 2, 1, 2, 2]
    assert back["rhythm"].isna().tolist() == [True, False, False, False, False]


def test_arrays_of_different_lengths():
    values = np.full((3, 4, 2), np.nan, np.float32)
    for i, length in enumerate((4, 1, 2)):
        values[i, :length] = np.arange(2 * length).reshape(length, 2)
    read = read_series(values)
    assert read.series.lengths.tolist() == [4, 1, 2]
    assert "1 of 3 series have a single step" in read.notes
    back = array_of(read.schema, read.series)
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, values)


def test_arrays_of_two_dimensions_have_one_channel():
    values = np.arange(12).reshape(3, 4)
    read = read_series(values)
    back = array_of(read.schema, read.series)
    assert back.dtype == values.dtype
    np.testing.assert_array_equal(back, values)
    cut = read_series(values, SeriesOptions(window=2))
    assert array_of(cut.schema, cut.series).tolist() == [values[:2].tolist(), values[1:].tolist()]


def test_arrays_with_labels():
    read = read_series((np.zeros((3, 4, 1)) + np.arange(4)[:, None], np.array(["y", "x", "y"])))
    assert read.schema.label.levels == ("x", "y")
    assert read.series.labels.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros(5), r"the shape \(5,\). Expected"),
        (np.zeros((2, 3, 4, 5)), r"the shape \(2, 3, 4, 5\)"),
        (np.full((2, 3, 1), np.nan), "2 of 2 series are NaN throughout"),
        (
            np.array([[1.0, np.nan, 2.0], [1, 2, 3]]),
            r"channel 0 is missing in 1 of 6 steps \(first: series 0, step 1",
        ),
        (np.zeros((4, 1, 2)), "the longest series of .* has 1 step"),
        ((np.zeros((2, 3, 1)), np.zeros(3, int)), "There are 2 series but labels of"),
        (np.zeros((0, 3, 1)), r"of the shape \(0, 3, 1\) was found"),
    ],
)
def test_arrays_that_cannot_be(values, message):
    with pytest.raises(DataError, match=message):
        read_series(values)


def test_files_of_arrays(tmp_path):
    values, labels = np.arange(24.0).reshape(4, 3, 2), np.array([0, 1, 0, 1])
    np.savez(tmp_path / "a.npz", values=values, labels=labels)
    read = read_series(tmp_path / "a.npz")
    assert read.series.labels.tolist() == [0, 1, 0, 1]
    np.save(tmp_path / "b.npy", values)
    assert len(read_series(tmp_path / "b.npy").series) == 4
    np.savez(tmp_path / "c.npz", other=values)
    with pytest.raises(DataError, match=r"holds other\. Expected an array called one of"):
        read_series(tmp_path / "c.npz")


def test_some_of_the_series():
    series = ragged([np.arange(n, dtype=float)[:, None] + 10 * n for n in (2, 1, 3)])
    some = series.take(np.array([2, 0, 2]))
    assert some.lengths.tolist() == [3, 2, 3]
    assert some.values[:, 0].tolist() == [30, 31, 32, 20, 21, 30, 31, 32]
    assert some.owner.tolist() == [0, 0, 0, 1, 1, 2, 2, 2]
    assert some.place.tolist() == [0, 1, 2, 0, 1, 0, 1, 2]


def test_windows_know_which_others_share_their_steps():
    series = ragged([np.arange(n, dtype=float)[:, None] for n in (10, 2, 6)])
    found = windows(series, 3, 1)
    assert found.of.tolist() == [0] * 8 + [2] * 4
    assert found.first.tolist() == [*range(8), *range(4)]
    assert found.overlapping(np.array([3])).tolist() == [1, 2, 3, 4, 5]
    assert found.overlapping(np.array([0, 11])).tolist() == [0, 1, 2, 9, 10, 11]


def test_an_empty_choice_of_series():
    none = Ragged(np.zeros((3, 1)), np.array([1, 2]), np.zeros((2, 0))).take(np.zeros(0, np.int64))
    assert len(none) == 0
    assert none.values.shape == (0, 1)


def test_decimals():
    assert decimals_of(np.array([1.0, -3.0])) == 0
    assert decimals_of(np.array([49.676899, 0.1])) == 6
    assert decimals_of(np.array([1e-9])) is None


def test_options_are_json():
    options = SeriesOptions(entity="a", metadata=("b",), window=4)
    assert SeriesOptions.from_json(options.to_json()) == options
    with pytest.raises(DataError, match="windows of 1 steps"):
        SeriesOptions(window=1)
