"""LSTM, NADE and output distributions: numpy samplers and torch networks."""
