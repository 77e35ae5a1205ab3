"""`make bench-quality`: how good the models are, measured in stages that each resume, and a page made of the results.

What is trained and measured is declared in the `.toml` files beside this, as the commands that a user would type.
"""
