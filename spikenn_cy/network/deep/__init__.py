"""Networks that learn in every layer."""
