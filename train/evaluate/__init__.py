"""Analyse a model beyond its scores: leaks, calibration, the annotators' ceiling, the learning curve, and mistakes."""
