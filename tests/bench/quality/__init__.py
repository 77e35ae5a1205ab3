"""`make bench-quality`: measure the quality of models in stages that can be resumed, and write a page of results.

The `.toml` files declare what is trained and measured, as commands that a user would type.
"""
