"""Sampling the next step: random numbers, temperature, top-k, top-p and min-p, in numpy and in torch."""
