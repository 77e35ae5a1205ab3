"""Pictures of music and of training: piano rolls, sheet music, loss curves, and a web page."""
