"""One recipe per file; importing this package lists them all."""

from __future__ import annotations

from . import (
    cgan,
    cvae,
    dcgan,
    fastgan,
    infogan,
    lsgan,
    mlp,
    projected,
    r3gan,
    sngan,
    stylegan2,
    vae,
    wgan,
    wgan_gp,
)

__all__ = [
    "cgan",
    "cvae",
    "dcgan",
    "fastgan",
    "infogan",
    "lsgan",
    "mlp",
    "projected",
    "r3gan",
    "sngan",
    "stylegan2",
    "vae",
    "wgan",
    "wgan_gp",
]
