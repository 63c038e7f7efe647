from __future__ import annotations

import pytest
import torch
from torchmetrics.image.kid import poly_mmd

from tenfold.errors import DataError
from tenfold.metrics import kernel
from tenfold.metrics.kernel import kernel_distance, kernel_distance_by_class
from tenfold.metrics.rows import Undefined


def normal(*shape: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) + shift


def test_value_and_error_by_hand():
    # k(x, y) = (xy + 1)^3 in one dimension.
    real, fake = torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[0.0], [0.0], [1.0]])
    # Pairs of real: 1, 1, 27. Pairs of fake: 1, 1, 1. Across, by rows: 1 1 1, 1 1 8, 1 1 27.
    estimate = kernel_distance(real, fake)
    assert estimate.value == pytest.approx(29 / 3 + 1 - 2 * 42 / 9)
    # What is left without each row, but for what stays the same: one pair within, six across.
    by_real = torch.tensor([27 - 13, 1 - 32 / 3, 1 - 13 / 3])
    by_fake = -2 * torch.tensor([39 / 6, 39 / 6, 1.0])
    variance = 2 * (by_real.var(correction=0) + by_fake.var(correction=0))
    assert estimate.error == pytest.approx(variance.sqrt().item())


def test_equals_torchmetrics():
    real, fake = normal(60, 7, seed=1).double(), normal(60, 7, seed=2, shift=0.3).double()
    assert kernel_distance(real, fake).value == pytest.approx(poly_mmd(real, fake).item(), rel=1e-10)


def test_sets_of_different_size_and_chunks(monkeypatch: pytest.MonkeyPatch):
    real, fake = normal(50, 3, seed=1), normal(31, 3, seed=2, shift=0.2)
    whole = kernel_distance(real, fake)
    swapped = kernel_distance(fake, real)
    assert (swapped.value, swapped.error) == pytest.approx((whole.value, whole.error))
    monkeypatch.setattr(kernel, "_CHUNK", 7)
    parts = kernel_distance(real, fake)
    assert (parts.value, parts.error) == pytest.approx((whole.value, whole.error))


def repeated(shift: float) -> tuple[torch.Tensor, torch.Tensor]:
    estimates = [
        kernel_distance(normal(25, 4, seed=2 * i), normal(20, 4, seed=2 * i + 1, shift=shift))
        for i in range(400)
    ]
    return torch.tensor([e.value for e in estimates]), torch.tensor([e.error for e in estimates])


def test_zero_on_average_between_equal_distributions():
    values, errors = repeated(shift=0.0)
    assert abs(values.mean()) < 3 * values.std() / 20
    assert values.std() < errors.square().mean().sqrt() < 1.6 * values.std()


def test_error_is_the_spread_between_different_distributions():
    values, errors = repeated(shift=1.0)
    assert errors.square().mean().sqrt() == pytest.approx(values.std().item(), rel=0.2)


@pytest.mark.parametrize(("real", "fake"), [((5, 3), (5, 4)), ((2, 3), (5, 3)), ((5, 3, 2), (5, 3, 2))])
def test_refuses_what_it_cannot_compare(real: tuple[int, ...], fake: tuple[int, ...]):
    with pytest.raises(DataError, match="expected"):
        kernel_distance(torch.zeros(real), torch.zeros(fake))


LABELS = torch.arange(10).repeat(3)


def ten_classes(labels: torch.Tensor, seed: int) -> torch.Tensor:
    """Ten Gaussians, each along an axis of its own."""
    return normal(len(labels), 10, seed=seed) + 2.5 * torch.eye(10)[labels]


def test_by_class_is_the_distance_if_there_is_one_class():
    real, fake = normal(30, 4, seed=1), normal(20, 4, seed=2, shift=0.3)
    one, plain = torch.full((30,), 4), kernel_distance(real, fake)
    seen = kernel_distance_by_class(real, one, fake, one[:20])
    assert (seen.value, seen.error) == pytest.approx((plain.value, plain.error))


def by_definition(
    real: torch.Tensor, labels: torch.Tensor, fake: torch.Tensor, wanted: torch.Tensor, share: list[float]
) -> float:
    value = 0.0
    sets = ((real, labels, fake, wanted), (fake, wanted, real, labels))
    for x, of_x, y, of_y in sets:
        within, across = (x @ x.T / x.shape[1] + 1) ** 3, (x @ y.T / x.shape[1] + 1) ** 3
        for c, p in enumerate(share):
            for d, q in enumerate(share):
                pairs = (of_x == c)[:, None] & (of_x == d) & ~torch.eye(len(x), dtype=torch.bool)
                value += p * q * within[pairs].mean().item()
                value -= p * q * across[(of_x == c)[:, None] & (of_y == d)].mean().item()
    return value


def test_value_and_error_by_class_equal_their_definition(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kernel, "_CHUNK", 4)
    labels, wanted = torch.tensor([0, 1, 0, 1, 1, 0, 1, 1]), torch.tensor([1, 0, 0, 1, 1, 0, 0, 2])
    real, fake, share = (
        normal(8, 3, seed=1).double(),
        normal(8, 3, seed=2, shift=0.5).double(),
        [3 / 8, 5 / 8],
    )
    seen = kernel_distance_by_class(real, labels, fake, wanted)
    assert seen.value == pytest.approx(by_definition(real, labels, fake, wanted, share))
    left = [
        [
            by_definition(*(x[keep] for x in (real, labels)), fake, wanted, share)
            for keep in ~torch.eye(8).bool()
        ],
        [
            by_definition(real, labels, *(x[keep] for x in (fake, wanted)), share)
            for keep in ~torch.eye(8).bool()
        ],
    ]
    variance = 0.0
    for values, classes in zip(map(torch.tensor, left), (labels, wanted), strict=True):
        for c in (0, 1):
            variance += ((classes == c).sum() - 1) * values[classes == c].var(correction=0)
    assert seen.error == pytest.approx(float(variance) ** 0.5, rel=1e-4)


def test_no_bias_where_labels_are_matched():
    sets = [(ten_classes(LABELS, seed=2 * i), ten_classes(LABELS, seed=2 * i + 1)) for i in range(300)]
    plain = torch.tensor([kernel_distance(*pair).value for pair in sets])
    seen = [kernel_distance_by_class(a, LABELS, b, LABELS) for a, b in sets]
    values, errors = torch.tensor([e.value for e in seen]), torch.tensor([e.error for e in seen])
    assert plain.mean() < -10 * plain.std() / 300**0.5
    assert abs(values.mean()) < 3 * values.std() / 300**0.5
    assert values.std() < errors.square().mean().sqrt() < 2 * values.std()


def test_by_class_weighs_by_the_real_shares():
    """Other proportions of the same classes are no distance."""
    few = torch.cat([LABELS, torch.zeros(60, dtype=torch.long)])
    seen = [
        kernel_distance_by_class(ten_classes(LABELS, 2 * i), LABELS, ten_classes(few, 2 * i + 1), few).value
        for i in range(100)
    ]
    values = torch.tensor(seen)
    assert abs(values.mean()) < 3 * values.std() / 10
    assert kernel_distance(ten_classes(LABELS, 0), ten_classes(few, 1)).value > 10 * values.std() / 10


def test_by_class_refuses_what_has_no_answer():
    x = normal(30, 10, seed=1)
    with pytest.raises(Undefined, match="n = 2 in class 9"):
        kernel_distance_by_class(x, LABELS, x[:29], LABELS[:29])
    with pytest.raises(DataError, match=r"\(29,\) for 30"):
        kernel_distance_by_class(x, LABELS[:29], x, LABELS)
    with pytest.raises(DataError, match="-1"):
        kernel_distance_by_class(x, LABELS - 1, x, LABELS)
