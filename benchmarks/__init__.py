"""What training, deciding and loading cost, along the axes on which the cost should depend.

Nothing at module level may need a name of the package: old commits, which lack it, are
then skipped and do not fail.
"""
