"""Write scores as ABC text."""
