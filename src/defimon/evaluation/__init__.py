"""How forecasts are judged: splits, scores, intervals, the gate and the search for leaks."""
