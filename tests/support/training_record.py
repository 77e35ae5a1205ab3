"""The record of a training state, as small as it can be."""

TRAINING_RECORD = {
    "kind": "training", "from": None, "data": [], "augmented": False, "settings": {}, "progress": {}, "encoded": "",
    "output": None, "split": {"valid": 0.1, "test": 0.0, "valid_files": [], "test_files": [], "listing": None},
}  # fmt: skip
