"""What a table is: the contracts that data keep before anything is computed from them."""
