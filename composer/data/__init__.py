"""From sources to batches: corpus, splits, dataset."""
