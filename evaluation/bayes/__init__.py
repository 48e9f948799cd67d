"""Where Bayesian models are fitted, judged for convergence and summarised."""
