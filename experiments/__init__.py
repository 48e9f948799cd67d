"""What was promised: studies, outcomes, estimands and designs, declared before results."""
