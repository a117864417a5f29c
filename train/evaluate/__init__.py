"""What stands beside the scores: leaks, calibration, the annotators as a ceiling, the learning curve, and mistakes."""
