"""What the discriminator sees of a sample."""
