"""What a person may say about an experiment, beside data, generator and time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProofOptions:
    """What a person may say about an experiment, beside data, generator and time.

    Attributes:
        spec: file that says what the columns of a table are (see `check`); found out if not given.
        group: a column of the metadata or of the table; items that share its value are never on two sides.
        test: a folder (or other source) of labelled items to judge on, instead of rotating parts of the data.
        unlabelled: a folder (or other source) of items without labels: GANs that are trained here learn from
            them, too, with guessed labels, and classifiers in the arm of pseudo-labels.
        metric: the measure that decides, one of those that are reported.
        minimum: the least gain that would be useful.
        width: differences up to this one do not matter; a wider interval leaves the question open.
        learners: kinds of classifiers; all that suit the data if not given.
        peers: other people's generators of tables that are arms, too (see `proof.peers`); they take the time
            that they need.
        steps: of the small convolutional network's training; if not given, what the time allows.
        kimg: thousands of samples that every GAN sees; what the first GAN's share of the time allows if not
            given. With it all learners take part, too, and the network takes a fixed number of steps, however
            fast the machine is, so that the experiment can be repeated on the same one.
        size: longest side to which pictures are resized.
        skip_bad: leave out what cannot be read.
        device: where a GAN is trained.
        quiet: say nothing while working.
    """

    spec: str | None = None
    group: str | None = None
    test: str | None = None
    unlabelled: str | None = None
    metric: str = "balanced_accuracy"
    minimum: float = 0.0
    width: float = 0.02
    learners: tuple[str, ...] | None = None
    peers: tuple[str, ...] = ()
    steps: int | None = None
    kimg: float | None = None
    size: int | None = None
    skip_bad: bool = False
    device: str = "auto"
    quiet: bool = False


DEFAULTS = ProofOptions()
