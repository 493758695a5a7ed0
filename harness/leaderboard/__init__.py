"""A collection of scores that anyone can add to, and the boards that are made from it.

The scores of one version of a proxy on the networks of one benchmark and data set, in one setting, are an *entry*: a
table and a description beside it. A *board* has the coefficients of all entries of one benchmark and data set.
"""
