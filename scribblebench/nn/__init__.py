"""Networks: a backbone without classifier, a head, and nothing global."""
