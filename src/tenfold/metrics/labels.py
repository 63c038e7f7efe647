"""Are the labels of made samples right, and do they teach?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from ..data.order import Rows
from ..draw import derive
from .classifier import train_classifier
from .suite import Measured


@dataclass(frozen=True, eq=False)
class Labels:
    """What classifiers say of made samples.

    Attributes:
        label_accuracy: share of made samples that a classifier of real ones gives the label asked for; the
            reference is its accuracy on held-out real samples.
        cas: accuracy on held-out real samples of a classifier trained on made ones only; the reference is
            trained on as many real ones.
        confusion: of made samples, how many of each label asked for (row) are taken for each (column).
        by_class: label accuracy of each class.
    """

    label_accuracy: Measured
    cas: Measured
    confusion: Int[np.ndarray, "classes classes"]
    by_class: dict[int, Measured]


def judge_labels(train: Rows, holdout: Rows, fake: Rows, *, classes: int, seed: int = 0) -> Labels:
    """Train a classifier on real samples and one on made samples, and ask each about the other's.

    Both see as many different samples, in the proportions that they have, for as many steps.

    Args:
        train: real samples with labels.
        holdout: real samples with labels that no one was trained on.
        fake: made samples with the labels that were asked for.
        classes: how many there are.
        seed: of the classifiers, and of which samples are used where there are more on one side.

    References:
        Classification accuracy score for conditional generative models. Ravuri, Vinyals, 2019.
        https://arxiv.org/abs/1905.10887
        How good is my GAN? Shmelkov, Schmid, Alahari, 2018. https://arxiv.org/abs/1807.09499
    """
    judge = train_classifier(train, classes=classes, seed=derive(seed, "labels", "real"))
    found, asked = judge.predict(fake.values), numbers(fake)
    right = (found == asked).double()
    true = judge.predict(holdout.values) == numbers(holdout)
    confusion = torch.bincount(asked * classes + found, minlength=classes**2).reshape(classes, classes)
    return Labels(
        label_accuracy=Measured(
            right.mean().item(), true.double().mean().item(), len(fake), reference_n=len(holdout)
        ),
        cas=score(train, holdout, fake, classes, seed),
        confusion=confusion.numpy(),
        by_class=by_class(right, asked, true.double(), numbers(holdout), classes),
    )


def score(train: Rows, holdout: Rows, fake: Rows, classes: int, seed: int) -> Measured:
    """The classification accuracy score, beside that of as many real samples."""
    n = min(len(train), len(fake))
    accuracies = [
        train_classifier(some(rows, n, seed), classes=classes, seed=derive(seed, "labels", "cas")).accuracy(
            holdout.values, numbers(holdout)
        )
        for rows in (fake, train)
    ]
    return Measured(accuracies[0], accuracies[1], n)


def some(rows: Rows, n: int, seed: int) -> Rows:
    """As many of the samples, chosen at random."""
    index = np.sort(np.random.default_rng(derive(seed, "labels", "some")).permutation(len(rows))[:n])
    assert rows.labels is not None
    return Rows(rows.values[torch.from_numpy(index)], rows.labels[index])


def numbers(rows: Rows) -> Int[Tensor, " n"]:
    """The labels as a tensor."""
    assert rows.labels is not None
    return torch.from_numpy(rows.labels)


def by_class(right: Tensor, asked: Tensor, true: Tensor, real: Tensor, classes: int) -> dict[int, Measured]:
    """Label accuracy of each class, beside that of held-out real samples of the class."""
    found: dict[int, Measured] = {}
    for number in range(classes):
        mine, theirs = right[asked == number], true[real == number]
        reference = theirs.mean().item() if len(theirs) else None
        if len(mine):
            found[number] = Measured(mine.mean().item(), reference, len(mine))
        else:
            found[number] = Measured(None, reference, 0, why="not defined for n = 0")
    return found
