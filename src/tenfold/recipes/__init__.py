"""One recipe per file; importing this package lists them all."""

from __future__ import annotations

from . import cgan, cvae, dcgan, infogan, lsgan, mlp, sngan, vae, wgan, wgan_gp

__all__ = ["cgan", "cvae", "dcgan", "infogan", "lsgan", "mlp", "sngan", "vae", "wgan", "wgan_gp"]
