"""Playing live: a model that composes ahead of the playback, answers a keyboard, and follows keys."""
