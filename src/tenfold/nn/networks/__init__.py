"""One family of networks, generator and discriminator, per file."""
