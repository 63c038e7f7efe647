"""Batch norms that move no more, folded into the convolutions before them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.utils import fuse_conv_bn_eval


def fold(network: nn.Module, pairs: Mapping[str, str]) -> None:
    """Turns each convolution and the batch norm after it into one convolution that does what both do.

    Also puts the channels last in memory, which is faster on the CPU.

    Args:
        network: in evaluation mode, where it must stay.
        pairs: attribute name of a convolution to that of the norm after it, wherever a module has both.
    """
    for parent in list(network.modules()):
        children = dict(parent.named_children())
        for conv, norm in pairs.items():
            if conv in children and norm in children:
                setattr(parent, conv, fuse_conv_bn_eval(children[conv], children[norm]))  # pyright: ignore
                setattr(parent, norm, nn.Identity())
    network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
