"""One recipe per file; importing this package lists them all."""

from __future__ import annotations

from . import cgan, dcgan, infogan, lsgan, mlp, sngan, wgan, wgan_gp

__all__ = ["cgan", "dcgan", "infogan", "lsgan", "mlp", "sngan", "wgan", "wgan_gp"]
