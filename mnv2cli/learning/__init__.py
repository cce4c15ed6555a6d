"""Learn classes of the user from features: fit, measure, diagnose. Arrays in, arrays out."""
