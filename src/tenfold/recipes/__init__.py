"""One recipe per file; importing this package lists them all."""

from __future__ import annotations

from . import (
    cgan,
    cut,
    cvae,
    cyclegan,
    dcgan,
    fastcut,
    fastgan,
    infogan,
    lsgan,
    mlp,
    pix2pix,
    projected,
    r3gan,
    sngan,
    srgan,
    stylegan2,
    vae,
    wgan,
    wgan_gp,
)

__all__ = [
    "cgan",
    "cut",
    "cvae",
    "cyclegan",
    "dcgan",
    "fastcut",
    "fastgan",
    "infogan",
    "lsgan",
    "mlp",
    "pix2pix",
    "projected",
    "r3gan",
    "sngan",
    "srgan",
    "stylegan2",
    "vae",
    "wgan",
    "wgan_gp",
]
