"""Networks that say which token of a text comes next, and remember what they have read.

References:
    Long Short-Term Memory (Hochreiter and Schmidhuber, 1997), https://doi.org/10.1162/neco.1997.9.8.1735
    Attention Is All You Need (Vaswani et al., 2017), https://arxiv.org/abs/1706.03762
    Relational recurrent neural networks (Santoro et al., 2018), https://arxiv.org/abs/1806.01822
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from ...conditioning import Condition, looked_up

NEVER = -1e9  # a logit that is finite: times a probability of 0 it is 0, where minus infinity would be NaN

State = tuple[Tensor, ...]
"""What a network remembers, a row per text in each part; of the first part, the next token follows."""


def repeated(state: State, times: int) -> State:
    """What is remembered of each text, so many times in a row."""
    return tuple(part.repeat_interleave(times, 0) for part in state)


def joined(some: State, others: State) -> State:
    """What is remembered of some texts, and then of others."""
    return tuple(torch.cat(parts) for parts in zip(some, others, strict=True))


@dataclass(frozen=True)
class Alphabet:
    """The tokens there are.

    Attributes:
        count: how many.
        start: number of the one that stands before the first of a text.
        never: numbers of those that never come next.
    """

    count: int
    start: int
    never: tuple[int, ...]


class Input(nn.Module):
    """Tokens to vectors; where there are classes, that of the text's class is added to each.

    Args:
        alphabet: the tokens there are.
        width: of the vectors.
        classes: number of classes; 0 for none.
    """

    def __init__(self, alphabet: Alphabet, width: int, classes: int = 0) -> None:
        super().__init__()
        self.begin, self.width = alphabet.start, width
        self.tokens = nn.Embedding(alphabet.count, width)
        self.classes = nn.Embedding(classes, width) if classes else None
        for table in (self.tokens, self.classes):
            if table is not None:
                nn.init.normal_(table.weight, 0.0, width**-0.5)

    def told(self, n: int, condition: Condition | None) -> Float[Tensor, "n w"]:
        """What is known of each of n texts before it begins."""
        if self.classes is None:
            return self.tokens.weight.new_zeros(n, self.width)
        assert condition is not None
        return looked_up(self.classes, condition)

    def first(self, n: int) -> Int[Tensor, "n 1"]:
        """What stands before the first token of n texts."""
        return torch.full((n, 1), self.begin, device=self.tokens.weight.device)

    def before(self, tokens: Int[Tensor, "n t"]) -> Int[Tensor, "n t"]:
        """What stands before each token."""
        return torch.cat([self.first(len(tokens)), tokens[:, :-1]], 1)

    def forward(self, tokens: Int[Tensor, "n t"], told: Float[Tensor, "n w"]) -> Float[Tensor, "n t w"]:
        """The vectors."""
        return self.tokens(tokens) + told[:, None]


class NextToken(nn.Module):
    """Features to logits of the next token, in float32.

    Args:
        features: dimension of these.
        alphabet: the tokens there are.
    """

    forbidden: Tensor

    def __init__(self, features: int, alphabet: Alphabet) -> None:
        super().__init__()
        self.linear = nn.Linear(features, alphabet.count)
        forbidden = [NEVER * (i in alphabet.never) for i in range(alphabet.count)]
        self.register_buffer("forbidden", torch.tensor(forbidden), persistent=False)

    def forward(self, features: Float[Tensor, "*n w"]) -> Float[Tensor, "*n v"]:
        """The logits; in the bias, what never comes next costs no pass over all of them."""
        with torch.autocast(features.device.type, enabled=False):
            return F.linear(features.float(), self.linear.weight, self.linear.bias + self.forbidden)

    def table(self, multiple: int = 1) -> Float[Tensor, "w1 v"]:
        """What features, and a 1 behind them, are multiplied with: logits without a pass to add anything.

        Args:
            multiple: of how many numbers the logits are; those beyond the last token never come next.
        """
        rows = torch.cat([self.linear.weight, (self.linear.bias + self.forbidden)[:, None]], 1)
        behind = rows.new_zeros(-len(rows) % multiple, rows.shape[1])
        behind[:, -1] = NEVER
        return torch.cat([rows, behind]).T


class LanguageNetwork(nn.Module, ABC):
    """Says which token comes next, from those before it and, if there is one, the class of the text.

    To learn from texts they are read as a whole (`features`, `logits`). To make some, `start` and, after each
    token, `step` give what is remembered, and `last` of its first part the logits of what comes next.

    Attributes:
        width: dimension of the features.
        last: maps features to logits.
    """

    width: int
    last: NextToken

    @abstractmethod
    def features(
        self, tokens: Int[Tensor, "n t"], condition: Condition | None = None
    ) -> Float[Tensor, "n t w"]:
        """For each token of a text, what follows from all before it."""

    @abstractmethod
    def start(self, n: int, condition: Condition | None = None) -> State:
        """What is remembered of n texts before their first token."""

    @abstractmethod
    def step(self, state: State, token: Int[Tensor, " n"]) -> State:
        """What is remembered after one more token of each text."""

    def logits(
        self, tokens: Int[Tensor, "n t"], condition: Condition | None = None
    ) -> Float[Tensor, "n t v"]:
        """For each token of a text, logits of what could stand there, from all before it."""
        return self.last(self.features(tokens, condition))


class LSTMLanguage(LanguageNetwork):
    """An LSTM; where it is wider than the vectors of tokens, the next one is told from a projection of it.

    The last layer, which has a row for every token, is what costs time: it grows with those vectors, not
    with the LSTM.

    Args:
        alphabet: the tokens there are.
        embedding: dimension of the vectors of tokens.
        hidden: units of each layer.
        depth: layers.
        classes: number of classes; 0 for none.
    """

    def __init__(
        self, alphabet: Alphabet, *, embedding: int = 32, hidden: int = 64, depth: int = 1, classes: int = 0
    ) -> None:
        super().__init__()
        self.width = embedding
        self.input = Input(alphabet, embedding, classes)
        self.lstm = nn.LSTM(embedding, hidden, depth, batch_first=True)
        self.body = nn.Identity() if hidden == embedding else nn.Linear(hidden, embedding)
        self.last = NextToken(embedding, alphabet)

    def features(
        self, tokens: Int[Tensor, "n t"], condition: Condition | None = None
    ) -> Float[Tensor, "n t w"]:
        """For each token of a text, what follows from all before it."""
        told = self.input.told(len(tokens), condition)
        return self.body(self.run(self.input(self.input.before(tokens), told))[0])

    def start(self, n: int, condition: Condition | None = None) -> State:
        """What is remembered of n texts before their first token."""
        told = self.input.told(n, condition)
        return self.read(self.input.first(n), told, None)

    def step(self, state: State, token: Int[Tensor, " n"]) -> State:
        """What is remembered after one more token of each text."""
        _, told, *memory = state
        h, c = (part.transpose(0, 1).contiguous() for part in memory)
        return self.read(token[:, None], told, (h, c))

    def read(
        self, token: Int[Tensor, "n 1"], told: Float[Tensor, "n w"], memory: tuple[Tensor, Tensor] | None
    ) -> State:
        """Features, what is known of each text, and the LSTM's memory, text by text."""
        seen, (h, c) = self.run(self.input(token, told), memory)
        return self.body(seen[:, 0]), told, h.transpose(0, 1), c.transpose(0, 1)

    def run(
        self, x: Float[Tensor, "n t w"], memory: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """What the LSTM gives for each step, and its memory, layer by layer."""
        with torch.autocast(x.device.type, enabled=False):  # torch's LSTM has no bf16 on every device
            return self.lstm(x.float(), memory)


class Block(nn.Module):
    """Attention to what stands before, and two linear layers, each beside a path that changes nothing.

    Args:
        width: of what goes through.
        heads: of the attention.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.think = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(
        self, x: Float[Tensor, "n t w"], past: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """As many vectors; and keys and values of all that was read, `(n, heads, steps, w / heads)`.

        Args:
            x: all steps; or, where there is a past, one.
            past: keys and values of what stands before.
        """
        seen = self.attention(self.first(x)).unflatten(2, (3, self.heads, -1))
        query, key, value = seen.permute(2, 0, 3, 1, 4).unbind(0)
        if past is not None:
            key, value = torch.cat([past[0], key], 2), torch.cat([past[1], value], 2)
        found = F.scaled_dot_product_attention(query, key, value, is_causal=past is None)
        x = x + self.out(found.transpose(1, 2).flatten(2))
        return x + self.think(self.second(x)), key, value


class TransformerLanguage(LanguageNetwork):
    """A causal Transformer that keeps the keys and values of what it has read.

    Args:
        alphabet: the tokens there are.
        length: of the longest text.
        width: of what goes through, and of the vectors of tokens.
        depth: blocks.
        heads: of the attention; they divide the width.
        classes: number of classes; 0 for none.
    """

    def __init__(
        self,
        alphabet: Alphabet,
        length: int,
        *,
        width: int = 64,
        depth: int = 2,
        heads: int = 4,
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.width = width
        self.input = Input(alphabet, width, classes)
        self.places = nn.Embedding(length, width)
        nn.init.normal_(self.places.weight, 0.0, width**-0.5)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.last = NextToken(width, alphabet)

    def features(
        self, tokens: Int[Tensor, "n t"], condition: Condition | None = None
    ) -> Float[Tensor, "n t w"]:
        """For each token of a text, what follows from all before it."""
        told = self.input.told(len(tokens), condition)
        return self.run(self.input.before(tokens), told)[0]

    def start(self, n: int, condition: Condition | None = None) -> State:
        """What is remembered of n texts before their first token."""
        told = self.input.told(n, condition)
        x, memory = self.run(self.input.first(n), told)
        return x[:, -1], told, *memory

    def step(self, state: State, token: Int[Tensor, " n"]) -> State:
        """What is remembered after one more token of each text."""
        _, told, *past = state
        x, memory = self.run(token[:, None], told, past)
        return x[:, -1], told, *memory

    def run(
        self, tokens: Int[Tensor, "n t"], told: Float[Tensor, "n w"], past: Sequence[Tensor] = ()
    ) -> tuple[Tensor, list[Tensor]]:
        """Features of each step, and each block's keys and values of all that was read."""
        begun = past[0].shape[2] if past else 0
        place = torch.arange(begun, begun + tokens.shape[1], device=tokens.device)
        x = self.input(tokens, told) + self.places(place)
        memory: list[Tensor] = []
        for i, block in enumerate(self.blocks):
            x, key, value = block(x, (past[2 * i], past[2 * i + 1]) if past else None)
            memory += [key, value]
        return self.norm(x), memory


class RelationalLanguage(LanguageNetwork):
    """A memory of a few slots that attend to each other and to the token; gates decide what of it changes.

    Args:
        alphabet: the tokens there are.
        embedding: dimension of the vectors of tokens.
        hidden: dimension of a slot.
        slots: of the memory.
        heads: of the attention; they divide the dimension of a slot.
        classes: number of classes; 0 for none.
    """

    def __init__(
        self,
        alphabet: Alphabet,
        *,
        embedding: int = 32,
        hidden: int = 64,
        slots: int = 1,
        heads: int = 2,
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.width, self.hidden, self.slots, self.heads = slots * hidden, hidden, slots, heads
        self.input = Input(alphabet, embedding, classes)
        self.enter = nn.Linear(embedding, hidden)
        self.attention = nn.Sequential(nn.Linear(hidden, 3 * hidden, bias=False), nn.LayerNorm(3 * hidden))
        self.first, self.second = nn.LayerNorm(hidden), nn.LayerNorm(hidden)
        self.think = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, hidden))
        self.gates_of_token = nn.Linear(hidden, 2 * hidden, bias=False)
        self.gates_of_memory = nn.Linear(hidden, 2 * hidden, bias=False)
        self.last = NextToken(self.width, alphabet)

    def features(
        self, tokens: Int[Tensor, "n t"], condition: Condition | None = None
    ) -> Float[Tensor, "n t w"]:
        """For each token of a text, what follows from all before it."""
        told, memory = self.input.told(len(tokens), condition), self.empty(len(tokens))
        found = []
        for x in self.input(self.input.before(tokens), told).unbind(1):
            memory = self.cell(memory, x)
            found.append(memory.flatten(1))
        return torch.stack(found, 1)

    def start(self, n: int, condition: Condition | None = None) -> State:
        """What is remembered of n texts before their first token."""
        told = self.input.told(n, condition)
        first = self.input(self.input.first(n), told)[:, 0]
        return self.cell(self.empty(n), first).flatten(1), told

    def step(self, state: State, token: Int[Tensor, " n"]) -> State:
        """What is remembered after one more token of each text."""
        memory, told = state
        x = self.input(token[:, None], told)[:, 0]
        return self.cell(memory.unflatten(1, (self.slots, self.hidden)), x).flatten(1), told

    def empty(self, n: int) -> Float[Tensor, "n slots hidden"]:
        """A memory of nothing, whose slots differ."""
        device = self.input.tokens.weight.device
        return torch.eye(self.slots, self.hidden, device=device).expand(n, -1, -1)

    def cell(
        self, memory: Float[Tensor, "n slots hidden"], x: Float[Tensor, "n e"]
    ) -> Float[Tensor, "n slots hidden"]:
        """The memory after one more token."""
        with torch.autocast(memory.device.type, enabled=False):  # what is added up over steps is not rounded
            x = self.enter(x.float())
            seen = self.attention(torch.cat([memory, x[:, None]], 1)).unflatten(2, (3, self.heads, -1))
            query, key, value = seen.permute(2, 0, 3, 1, 4).unbind(0)
            found = F.scaled_dot_product_attention(query[:, :, : self.slots], key, value)
            fresh = self.first(memory + found.transpose(1, 2).flatten(2))
            fresh = self.second(fresh + self.think(fresh))
            gates = self.gates_of_token(x)[:, None] + self.gates_of_memory(memory.tanh())
            let_in, keep = gates.chunk(2, 2)
            return let_in.sigmoid() * fresh.tanh() + (keep + 1).sigmoid() * memory


def scatter(network: LanguageNetwork, spread: float) -> None:
    """Draw every weight of a network anew, in place, from a normal distribution around 0 of a spread."""
    for name, weight in network.named_parameters():
        if "bias_hh" in name:  # torch's LSTM adds two biases; the second would only make the sum wider
            nn.init.zeros_(weight)
        else:
            nn.init.normal_(weight, 0.0, spread)
