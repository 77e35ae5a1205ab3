"""The doctor of collections: what is wrong in a file of music, piece by piece, and where.

`examination.examine` looks at one file; `composer.check.collection` at many, and at what they have in common.
"""
