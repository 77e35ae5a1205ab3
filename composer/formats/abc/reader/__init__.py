"""ABC text into scores."""
