"""Series to rows and back; scales, mixing, clocks; opening."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tenfold.data.series.clock import fit_clock
from tenfold.data.series.codec import SeriesCodec, fit_series_codec
from tenfold.data.series.frames import read_series
from tenfold.data.series.layout import SeriesLayout
from tenfold.data.series.opening import open_series
from tenfold.data.series.ragged import Ragged, ragged
from tenfold.data.series.scaling import Scale, fit_any, fit_mixing, fit_scale, moving_together, spans
from tenfold.data.series.schema import SeriesOptions


def array_codec(series, scale="auto"):
    """The codec of arrays `(length, channels)`, and the same as numbers."""
    longest = max(len(x) for x in series)
    values = np.full((len(series), longest, series[0].shape[1]), np.nan)
    for i, x in enumerate(series):
        values[i, : len(x)] = x
    read = read_series(values)
    return fit_series_codec(read.series, read.schema, scale)[0], read.series


def back_and_forth(codec, series):
    return codec.series_of(codec.rows_of(series), series.labels)


def waves(scales, steps=12, seed=0):
    random = np.random.default_rng(seed)
    at = np.arange(steps)[:, None]
    return [s * (np.sin(at * random.uniform(0.3, 1.5) + random.uniform(0, 6)) + 0.1) for s in scales]


@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=6), st.sampled_from(["each", "all"]), st.integers(0, 99)
)
@settings(max_examples=40, deadline=None)
def test_series_survive(lengths, scale, seed):
    random = np.random.default_rng(seed)
    series = [random.normal(size=(n, 2)) * 10.0 ** random.integers(-1, 2) for n in [*lengths, 3]]
    codec, numbers = array_codec(series, scale)
    rows = codec.rows_of(numbers)
    assert rows.shape == (len(series), codec.layout.width)
    assert rows.dtype == np.float32
    assert np.abs(rows).max() <= 1 + 1e-6
    back = codec.series_of(rows)
    assert back.lengths.tolist() == numbers.lengths.tolist()
    assert np.abs(back.values - numbers.values).max() <= 1e-4 * np.abs(numbers.values).max()


def test_steps_beyond_the_end_are_zero_and_others_have_a_flag():
    codec, numbers = array_codec(waves([1, 1, 1], 5)[:2] + waves([1], 3))
    layout = codec.layout
    assert (layout.steps, layout.shortest, layout.ends) == (5, 3, True)
    rows = codec.rows_of(numbers)
    steps = rows[:, layout.attributes :].reshape(3, 5, layout.features)
    assert steps[:, :, -1].tolist() == [[1] * 5, [1] * 5, [1, 1, 1, 0, 0]]
    assert not steps[2, 3:].any()
    assert rows[:, layout.numbers - 1].tolist() == [1, 1, -1]


def test_series_of_one_length_have_no_flag():
    codec, _ = array_codec(waves([1, 1.01]))
    assert codec.layout == SeriesLayout(12, 12, 0, (), 1, ())


def test_scales_that_differ_are_learnt_with_each_series():
    series = waves([1, 1, 10, 10, 100, 100])
    codec, numbers = array_codec(series)
    assert codec.layout.spanned == (0,)
    assert codec.layout.numbers == 2
    rows = codec.rows_of(numbers)
    steps = rows[:, 2:]
    np.testing.assert_allclose([steps.min(1), steps.max(1)], [[-1] * 6, [1] * 6], atol=1e-6)
    back = back_and_forth(codec, numbers)
    for was, now in zip(series, back.arrays(), strict=True):
        assert np.abs(was - now).max() < 1e-3 * np.ptp(was)


def test_scales_that_do_not_differ_are_those_of_all():
    codec, numbers = array_codec(waves([1, 1.2, 0.9, 1.1]))
    assert codec.tracks[0].all is not None
    assert codec.layout.numbers == 0
    assert array_codec(waves([1, 1.2, 0.9]), "each")[0].layout.numbers == 2
    assert array_codec(waves([1, 10, 100]), "all")[0].layout.numbers == 0
    np.testing.assert_allclose(back_and_forth(codec, numbers).values, numbers.values, atol=1e-5)


def test_a_series_that_never_changes():
    series = [*waves([1, 30, 300]), np.full((12, 1), 7.0)]
    codec, numbers = array_codec(series)
    assert codec.tracks[0].all is None
    assert codec.layout.spanned == ()
    rows = codec.rows_of(numbers)
    assert not rows[3, 2:].any()
    np.testing.assert_allclose(back_and_forth(codec, numbers).arrays()[3], 7.0, atol=1e-3)


def test_a_channel_that_never_changes():
    series = [np.concatenate([x, np.full((12, 1), 3.0)], 1) for x in waves([1, 1, 1])]
    codec, numbers = array_codec(series)
    assert (back_and_forth(codec, numbers).values[:, 1] == 3).all()


def test_a_single_step_among_longer_ones():
    codec, numbers = array_codec([*waves([1, 50]), np.array([[4.0]])])
    back = back_and_forth(codec, numbers)
    assert back.lengths.tolist() == [12, 12, 1]
    assert back.values[-1, 0] == pytest.approx(4, abs=1e-3)


def test_channels_that_move_together_keep_their_differences():
    random = np.random.default_rng(0)
    low = [np.cumsum(random.normal(size=(20, 1)), 0) + 100 * (i + 1) for i in range(8)]
    series = [np.concatenate([x, x + 0.01, np.round(random.normal(size=(20, 1)), 1)], 1) for x in low]
    codec, numbers = array_codec(series)
    assert moving_together(numbers.values) == [[0, 1]]
    rows = codec.rows_of(numbers).copy()
    # A level that is off by a hundredth of its range moves both channels alike.
    rows[:, 0] = np.clip(rows[:, 0] + 0.01, -1, 1)
    made = codec.series_of(rows).values
    np.testing.assert_allclose(made[:, 1] - made[:, 0], 0.01, atol=2e-3)


def test_mixing_is_undone():
    random = np.random.default_rng(1)
    common = random.normal(size=(50, 1))
    x = np.concatenate([5 * common + 3, random.normal(size=(50, 1)), -2 * common], 1)
    x[:, 2] += 0.01 * random.normal(size=50)
    mixing, groups = fit_mixing(x)
    assert groups == [[0, 2]]
    np.testing.assert_allclose(mixing.backward(mixing.forward(x)), x, atol=1e-9)
    np.testing.assert_allclose(mixing.forward(x)[:, 1], x[:, 1])
    assert mixing.forward(x)[:, 0].std() > 10 * mixing.forward(x)[:, 2].std()
    assert fit_mixing(np.zeros((5, 0)))[1] == []


@pytest.mark.parametrize("form", ["plain", "log", "asinh"])
def test_scales_are_undone(form):
    x = np.array([0.001, 0.5, 2.0, 1000.0])
    scale = fit_scale(x, form)
    y = scale.forward(x)
    assert (y.min(), y.max()) == pytest.approx((-1, 1))
    np.testing.assert_allclose(scale.backward(y), x, rtol=1e-9)
    assert scale.backward(np.array([5.0])) == pytest.approx(1000)


def test_scales_of_little():
    assert Scale(2.0, 2.0).forward(np.array([2.0])).tolist() == [0]
    assert Scale(2.0, 2.0).backward(np.array([0.7])).tolist() == [2]
    zero = fit_scale(np.array([0.0, 1.0, 10.0]), "log")
    assert zero.backward(np.array([-1.0])) == pytest.approx(0.1)
    assert fit_any(np.array([1.0, 2, 3])).form == "plain"
    assert fit_any(np.array([-1.0, 2, 3000])).form == "asinh"
    assert fit_any(np.zeros(3)).form == "plain"


def test_ranges_that_are_rounding_only():
    x = np.array([[1e6], [1e6 + 1e-6], [1.0], [2.0]])
    middle, half = spans(x, np.array([0, 2]))
    assert half[:, 0].tolist() == [0, 0.5]
    assert middle[1, 0] == 1.5


def times(*each):
    lengths = np.array([len(x) for x in each])
    return Ragged(
        np.zeros((lengths.sum(), 1)), lengths, np.zeros((len(each), 0)), np.concatenate(each).astype(float)
    )


def test_regular_times_need_no_channel():
    series = times([0, 2, 4], [10, 12])
    clock = fit_clock(series, 1.0)
    assert clock.step is None
    assert clock.start.varies
    back = clock.decode(clock.start.forward(np.array([0.0, 10.0])), None, series)
    assert back.tolist() == [0, 2, 4, 10, 12]


def test_irregular_times_rise_whatever_is_made():
    series = times([0, 1, 100, 101], [5, 6], [7])
    clock = fit_clock(series, 1.0)
    scaled = clock.encode(series)
    assert scaled.tolist() == pytest.approx([-1, -1, 1, -1, -1, -1, -1])
    back = clock.decode(clock.start.forward(np.array([0.0, 5, 7])), scaled, series)
    assert back.tolist() == [0, 1, 100, 101, 5, 6, 7]
    wild = clock.decode(np.zeros(3), np.random.default_rng(0).uniform(-3, 3, 7), series)
    assert (np.diff(wild)[np.diff(series.owner) == 0] >= 1).all()
    assert (wild == np.rint(wild)).all()


def test_frames_with_everything_survive():
    pd = pytest.importorskip("pandas")
    random = np.random.default_rng(0)
    lengths = random.integers(2, 9, 30)
    owner = np.repeat(np.arange(30), lengths)
    days = np.concatenate([np.cumsum(random.integers(1, 5, n)) for n in lengths])
    frame = pd.DataFrame(
        {
            "entity": owner,
            "date": pd.Timestamp("2024-01-01") + pd.to_timedelta(days + owner, unit="D"),
            "kind": np.array(["x", "y", "z"])[random.integers(0, 3, 30)][owner],
            "age": random.integers(20, 90, 30)[owner],
            "state": np.array(["up", "down"])[random.integers(0, 2, len(owner))],
            "level": np.round(random.normal(size=len(owner)) * 10.0 ** (owner % 3), 2),
        }
    )
    read = read_series(frame)
    codec, notes = fit_series_codec(read.series, read.schema)
    assert codec.layout.choices == (3,)
    assert codec.layout.options == (2,)
    assert codec.clock is not None and codec.clock.step is not None
    assert codec.layout.channels == 2
    assert "time stamps are irregular and learnt" in notes
    back = codec.frame_of(back_and_forth(codec, read.series))
    for name in ("date", "kind", "age", "state"):
        assert back[name].tolist() == frame[name].tolist()
        assert back[name].dtype == frame[name].dtype
    np.testing.assert_allclose(back["level"], frame["level"], atol=0.02)


def test_codecs_are_json():
    codec, _ = array_codec([*waves([1, 10, 100]), np.array([[4.0]])])
    again = SeriesCodec.from_json(json.loads(json.dumps(codec.to_json())))
    assert again == codec
    assert SeriesLayout.from_json(json.loads(json.dumps(codec.layout.to_json()))) == codec.layout


def test_made_rows_of_any_numbers_become_series():
    codec, numbers = array_codec([*waves([1, 10, 100]), np.array([[4.0]])])
    rows = 5 * np.random.default_rng(0).normal(size=(20, codec.layout.width))
    made = codec.series_of(rows)
    assert len(made) == 20
    assert made.lengths.min() >= 1
    assert np.isfinite(made.values).all()
    assert made.values.min() >= numbers.values.min()
    assert made.values.max() <= numbers.values.max()
    assert isinstance(codec.frame_of(made), np.ndarray)


def test_opened_series_are_held_out_in_proportion():
    values = np.sin(np.arange(12.0) * np.linspace(0.1, 1, 200)[:, None])
    data = open_series((values, np.arange(200) % 4 == 0))
    assert data.spec.kind == "series"
    assert data.spec.shape == (data.spec.series.width,)
    assert data.spec.classes == ("False", "True")
    assert data.holdout is not None
    assert len(data.train) + len(data.holdout) == 200
    assert np.bincount(data.holdout.labels).tolist() in ([37, 13], [38, 12])
    batch = data.train.gather(np.array([3, 1]))
    assert batch["real"].dtype == torch.float32
    assert batch["real"].shape == (2, data.spec.series.width)
    assert batch["condition"].tolist() == data.train.labels[[3, 1]].tolist()
    assert open_series((values, np.arange(200) % 4 == 0)).fingerprint == data.fingerprint
    assert open_series(values).fingerprint != data.fingerprint


def test_a_label_of_a_single_series_cannot_be_asked_for():
    values = np.sin(np.arange(12.0) * np.linspace(0.1, 1, 20)[:, None])
    data = open_series((values, np.arange(20) == 7))
    assert data.spec.classes == ()
    assert data.spec.series.choices == (2,)
    assert any("it is learnt, but cannot be asked for" in note for note in data.notes)


def test_windows_that_are_held_out_share_no_step_with_others():
    data = open_series(np.arange(600.0), SeriesOptions(window=10))
    places = [{int(name.rpartition(" ")[2]) for name in side.names} for side in (data.train, data.holdout)]
    steps = [{first + i for first in side for i in range(10)} for side in places]
    assert not steps[0] & steps[1]
    assert len(places[0]) + len(places[1]) < 591


def test_nothing_is_held_out_where_that_is_asked_for():
    data = open_series(np.zeros((100, 4)) + np.arange(4), SeriesOptions(holdout=False))
    assert data.holdout is None
    assert len(data.train) == 100


def test_arrays_and_ragged_series_are_the_same():
    series = ragged(waves([1, 2]), np.array([0, 1]))
    assert series.lengths.tolist() == [12, 12]
    assert len(series.arrays()) == 2
