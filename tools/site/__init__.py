"""The web site: documentation, API reference and leaderboard, built from files of the repository.

Data flows one way. :mod:`tools.site.documents` and :mod:`tools.site.api` and :mod:`tools.site.leaderboard` write source
pages from committed files; Sphinx turns them into HTML with the configuration in ``conf.py``. ``python -m tools.site``
does both.
"""
