"""Layers that torch lacks or that must behave alike on one process and on many."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

Activation = Literal["relu", "leaky_relu", "elu", "silu", "tanh", "sigmoid"]
Reduce = Callable[[Tensor], Tensor]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "elu": nn.ELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}

ONE_BY_ONE = 2**15  # numbers of a picture's maps from which on a norm for each costs least


def activation(name: Activation) -> nn.Module:
    """The module of a named activation; leaky_relu has slope 0.2, as GANs use it."""
    return ACTIVATIONS[name]()


class AcrossRanks(nn.Module, ABC):
    """What must know the batches of all ranks, to be on several processes what it is on one.

    Attributes:
        sum_over_ranks: a differentiable sum over processes; None where there is one.
    """

    sum_over_ranks: Reduce | None = None


class BatchNorm(AcrossRanks):
    """Batch norm over `(n, c)` or `(n, c, h, w)` that can share its statistics between processes.

    torch's own synchronised norm refuses CPUs; this one works wherever tensors can be summed.

    Args:
        channels: of the input.
        affine: whether gain and bias are learnt.
        eps: added to the variance.
        momentum: weight of a new batch in the running statistics.
    """

    mean: Tensor
    variance: Tensor

    def __init__(
        self, channels: int, *, affine: bool = True, eps: float = 1e-5, momentum: float = 0.1
    ) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x: Float[Tensor, "n c *hw"]) -> Float[Tensor, "n c *hw"]:
        """Normalised by the batch while training, by the running statistics else."""
        if self.training and self.sum_over_ranks is not None:
            return self._shared(x, self.sum_over_ranks)
        return F.batch_norm(
            x, self.mean, self.variance, self.weight, self.bias, self.training, self.momentum, self.eps
        )

    def _shared(self, x: Tensor, sum_over_ranks: Reduce) -> Tensor:
        dims = [d for d in range(x.ndim) if d != 1]
        channels, h = x.shape[1], x.float()
        count = torch.full((1,), float(x.numel() // channels), device=x.device)
        total = sum_over_ranks(torch.cat([h.sum(dims), h.square().sum(dims), count]))
        n = total[-1].detach()
        mean, square = (total[:-1] / n).chunk(2)
        variance = (square - mean.square()).clamp_min(0)  # rounding can make it negative
        with torch.no_grad():
            self.mean.lerp_(mean, self.momentum)
            self.variance.lerp_(variance * n / (n - 1), self.momentum)
        shape = (1, -1, *[1] * (h.ndim - 2))
        h = (h - mean.view(shape)) * (variance + self.eps).rsqrt().view(shape)
        if self.weight is not None and self.bias is not None:
            h = h * self.weight.view(shape) + self.bias.view(shape)
        return h.to(x.dtype)


def share_statistics(module: nn.Module, sum_over_ranks: Reduce) -> None:
    """Let every part within `module` that must know the batches of all ranks know them.

    Args:
        module: whose parts are changed in place: batch norms, and what remembers samples.
        sum_over_ranks: a differentiable sum over processes.
    """
    for part in module.modules():
        if isinstance(part, AcrossRanks):
            part.sum_over_ranks = sum_over_ranks


class LayerNorm(nn.Module):
    """Layer norm over `(c, h, w)` with a gain and a bias per channel: each sample is judged alone."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, channels)

    def forward(self, x: Float[Tensor, "n c *hw"]) -> Float[Tensor, "n c *hw"]:
        """Each sample, normalised by its own mean and variance."""
        return self.norm(x)


class Spectral(nn.Module):
    """A weight divided by its largest singular value, which one power iteration per update follows.

    Iterates only while the weight learns, so that a frozen discriminator is a fixed function.

    Args:
        shape: of the weight, outputs first.

    References:
        Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018),
        https://arxiv.org/abs/1802.05957
    """

    u: Tensor

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape))
        nn.init.xavier_uniform_(self.weight)
        u = F.normalize(torch.randn(shape[0]), dim=0)
        matrix = self.weight.detach().flatten(1)
        for _ in range(20):  # from a random start, the first updates would see far too small a norm
            u = F.normalize(matrix @ (matrix.T @ u), dim=0)
        self.register_buffer("u", u)

    def forward(self) -> Tensor:
        """The normalised weight, in float32."""
        with torch.autocast(self.weight.device.type, enabled=False):
            matrix = self.weight.flatten(1)
            with torch.no_grad():
                v = F.normalize(matrix.T @ self.u, dim=0)
                u = F.normalize(matrix @ v, dim=0)
            if self.training and self.weight.requires_grad:
                self.u = u
            return self.weight / torch.dot(u, matrix @ v)


class SpectralConv(nn.Module):
    """A convolution whose weight has spectral norm one.

    Args:
        inputs, outputs: channels.
        kernel, stride, padding, bias: as in `torch.nn.Conv2d`.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0, *, bias: bool = True
    ) -> None:
        super().__init__()
        self.stride, self.padding = stride, padding
        self.normalised = Spectral(outputs, inputs, kernel, kernel)
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k i j"]:
        """The convolution."""
        return F.conv2d(x, self.normalised(), self.bias, self.stride, self.padding)


class ResizedConv(nn.Module):
    """Twice the size by repeating pixels, then a 3x3 convolution: without the grid of dots of a strided one.

    Computed as the transposed 4x4 convolution of stride 2 that is the same, in less than half the operations.

    Args:
        inputs, outputs: channels.
        bias: whether it has one.

    References:
        Deconvolution and Checkerboard Artifacts (Odena et al., 2016), https://distill.pub/2016/deconv-checkerboard
    """

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.normal_(torch.empty(inputs, outputs, 3, 3), 0.0, 0.02))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k 2*h 2*w"]:
        """The convolution."""
        tall = F.pad(self.weight, (0, 0, 0, 1)) + F.pad(self.weight, (0, 0, 1, 0))
        kernel = F.pad(tall, (0, 1)) + F.pad(tall, (1, 0))
        return F.conv_transpose2d(x, kernel, self.bias, stride=2, padding=1)


class Mirrored(nn.Module):
    """Pictures that go on mirrored beyond their border.

    Args:
        pixels: by how many.
    """

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self.pixels = pixels

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c i j"]:
        """The larger maps; autocast would make them float32 for this, and back again."""
        with torch.autocast(x.device.type, enabled=False):
            return F.pad(x, (self.pixels,) * 4, mode="reflect")


class InstanceNorm(nn.Module):
    """Mean 0 and variance 1 of every channel of every picture; nothing is learnt.

    On a CPU torch's own takes pictures that lie channels last apart and leaves them so; where they are large,
    one by one they are faster.
    """

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """The normalised maps."""
        last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
        if x.device.type != "cpu" or not last or x[0].numel() < ONE_BY_ONE:
            return F.instance_norm(x)
        return torch.cat([F.batch_norm(one, None, None, training=True) for one in x.split(1)])


def normed(
    inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0
) -> tuple[SpectralConv, BatchNorm]:
    """A convolution of spectral norm one, and a batch norm: alone, many of the former let signals fade."""
    return SpectralConv(inputs, outputs, kernel, stride, padding, bias=False), BatchNorm(outputs)


class SpectralLinear(nn.Module):
    """A linear map whose weight has spectral norm one.

    Args:
        inputs, outputs: dimensions.
        bias: whether it adds one.
    """

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True) -> None:
        super().__init__()
        self.normalised = Spectral(outputs, inputs)
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x: Float[Tensor, "n c"]) -> Float[Tensor, "n k"]:
        """The linear map."""
        return F.linear(x, self.normalised(), self.bias)


class SpectralEmbedding(nn.Module):
    """A table of vectors that, as a matrix, has spectral norm one.

    Args:
        count, dimension: of the vectors.
    """

    def __init__(self, count: int, dimension: int) -> None:
        super().__init__()
        self.normalised = Spectral(count, dimension)

    def forward(self, index: Int[Tensor, " n"]) -> Float[Tensor, "n d"]:
        """The vectors asked for."""
        return F.embedding(index, self.normalised())


class Flatten(nn.Module):
    """Pictures to vectors, position by position.

    Channel by channel, as torch flattens, would copy pictures whose channels lie last, and would send back
    a gradient whose channels lie first: every layer before would work across memory.
    """

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n hwc"]:
        """The channels of the first position, then of the second, and so on."""
        return x.permute(0, 2, 3, 1).flatten(1)


class Unflatten(nn.Module):
    """Vectors to pictures: what `Flatten` does, undone.

    Args:
        height, width: of the pictures.
    """

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.height, self.width = height, width

    def forward(self, x: Float[Tensor, "n hwc"]) -> Float[Tensor, "n c h w"]:
        """Pictures, their channels last in memory."""
        return x.unflatten(1, (self.height, self.width, -1)).permute(0, 3, 1, 2)


class FullPrecision(nn.Module):
    """A module that computes in float32 within a network that computes in less (output layers)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """inner(x), in float32."""
        with torch.autocast(x.device.type, enabled=False):
            return self.inner(x.float())


class Inward(torch.autograd.Function):
    """Numbers cut off at -1 and 1, whose gradient passes wherever it does not lead further out.

    A tanh lets nothing through where a generator is sure of black or white, so that one which is sure too
    soon stays as it is; a plain cut as well.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ANN401
        """x between -1 and 1."""
        ctx.save_for_backward(x)
        return x.clamp(-1, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ANN401
        """The gradient; 0 where a step against it would go further out."""
        (x,), (gradient,) = ctx.saved_tensors, gradients
        outward = ((x > 1) & (gradient < 0)) | ((x < -1) & (gradient > 0))
        return gradient.masked_fill(outward, 0.0)


def bounded(x: Tensor) -> Tensor:
    """Numbers cut off at -1 and 1 as `Inward` does.

    Example:
        >>> x = torch.tensor([-3.0, -3.0, 0.5], requires_grad=True)
        >>> y = bounded(x)
        >>> y.backward(torch.tensor([-1.0, 1.0, 1.0]))
        >>> y.tolist(), x.grad.tolist()
        ([-1.0, -1.0, 0.5], [-1.0, 0.0, 1.0])
    """
    return torch.as_tensor(Inward.apply(x))
